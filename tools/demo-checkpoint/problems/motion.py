"""Speed, distance and time: single trips, meeting, catching up, maps."""

from fractions import Fraction

from .base import Work, amount, family, people, person, say, step_range

UNITS = [("kilometers", "kilometers per hour"), ("km", "km/h"), ("miles", "miles per hour"), ("kilometers", "kilometers an hour"), ("km", "km per hour")]
VEHICLES = "A car|A bus|A train|A truck|A ship|A motorcycle|A plane|A passenger car|A freight train|A cyclist"


def speed_range(rng):
    return rng.choice([step_range(rng, 20, 120, 5), rng.randint(3, 95), step_range(rng, 40, 300, 10)])


@family(2.5)
def trip(rng):
    """One of speed, distance and time from the other two, maybe with a return."""
    work = Work(rng, "trip")
    km, rate = rng.choice(UNITS)
    v, t = speed_range(rng), rng.choice([Fraction(rng.randint(2, 12)), Fraction(rng.randint(2, 12)), Fraction(rng.randint(3, 11), 2)])
    s = v * t
    who = rng.choice([VEHICLES, str(person(rng))])
    values = dict(v=v, t=t, s=s, km=km, rate=rate)
    kind = rng.choice(["distance", "time", "speed", "left", "more_time", "return_speed", "return_time", "new_time", "average", "total"])
    goes = f"[travels|drives|goes|moves|traveled|{'walked' if v < 10 else 'drove'}]"
    if kind == "distance":
        text = say(rng, f"[{who}] {goes} [at {{v}} {{rate}}|{{v}} {{km}} [an|per] hour|at a speed of {{v}} {{rate}}] for {{t}} hours. [How far does it go|How many {{km}} is that|What distance is covered|How many {{km}} does it travel]?", **values)
        return work.problem(text, work.mul("Distance", v, t))
    if kind == "time":
        text = say(rng, f"[The distance between [A and B|two cities|town A and town B] is {{s}} {{km}}. [{who}] {goes} at {{v}} {{rate}}. How many hours does [it|the trip] take|[{who}] {goes} {{s}} {{km}} at [a speed of |]{{v}} {{rate}}. How [long|many hours] does it take|How many hours does it take to go {{s}} {{km}} at {{v}} {{rate}}]?", **values)
        return work.problem(text, work.div("Hours", s, v))
    if kind == "speed":
        text = say(rng, f"[{who}] {goes} {{s}} {{km}} in {{t}} hours. [What is [the|its] [average |]speed[| in {{rate}}]|How many {{km}} does it go [per|in one|each] hour|How fast is it]?", **values)
        return work.problem(text, work.div("Speed", s, t))
    if kind == "left":
        whole = s + amount(rng, 10, 400)
        text = say(rng, f"[The distance from [A to B|one city to another|the village to the city] is {{w}} {{km}}. [{who}] {goes} [at {{v}} {{rate}}|{{v}} {{km}} per hour][ from A|]. After {{t}} hours, how [many {{km}} are left|far is it from [the goal|B|the destination]|many {{km}} remain]|{{p}} plans a trip of {{w}} {{km}} and drives at {{v}} {{rate}} for {{t}} hours. How many {{km}} [are left|remain]]?", w=whole, p=person(rng), **values)
        done = work.mul("Done", v, t)
        return work.problem(text, work.sub("Left", whole, done))
    if kind == "more_time":
        more = rng.randint(1, 9)
        t1 = rng.randint(1, 8)
        text = say(rng, f"[{who}] {goes} {{a}} {{km}} in {{t1}} hours. At [this|the same] speed, [how many [more |]hours [does it take|are needed] to go [another |the remaining |]{{b}} {{km}}|how far does it go in {{n}} hours]?", a=v * t1, t1=t1, b=v * more, n=more, km=km)
        one = work.div("Speed", v * t1, t1)
        if "how far" in text:
            return work.problem(text, work.mul("Distance", one, more))
        return work.problem(text, work.div("Hours", v * more, one))
    if kind == "total":
        v2, t2 = speed_range(rng), rng.randint(1, 6)
        t = rng.randint(2, 7)
        text = say(rng, f"[{who}] {goes} [at |]{{v}} {{rate}} for {{t}} hours and then [at |]{{v2}} {{rate}} for {{t2}} {{h}}. [How far does it go in all|What is the total distance|How many {{km}} is that altogether]?", v=v, rate=rate, t=t, v2=v2, t2=t2, h="hours" if t2 > 1 else "hour", km=km)
        a = work.mul("First", v, t)
        b = work.mul("Second", v2, t2)
        return work.problem(text, work.add("Total", a, b))
    t1, t2 = rng.randint(2, 9), rng.randint(2, 9)
    if t1 == t2:
        t2 += 1
    base = rng.randint(2, 20)
    distance = base * t1 * t2
    v1, v2 = base * t2, base * t1
    if kind == "return_speed":
        text = say(rng, f"[{who}] {goes} from A to B at {{v1}} {{rate}} and arrives after {{t1}} hours. [The return [trip|journey] takes|It returns in|On the way back it takes] {{t2}} hours. What is the [average |]speed [of the return|on the way back|going back]?", v1=v1, rate=rate, t1=t1, t2=t2)
        s = work.mul("Distance", v1, t1)
        return work.problem(text, work.div("Speed back", s, t2))
    if kind == "return_time":
        text = say(rng, f"[{who}] {goes} from A to B at {{v1}} {{rate}} [in|for] {{t1}} hours. [On the way back|Returning|Going back] [it goes at|the speed is] {{v2}} {{rate}}. How many hours does the [return|way back|trip back] take?", v1=v1, v2=v2, rate=rate, t1=t1)
        s = work.mul("Distance", v1, t1)
        return work.problem(text, work.div("Hours back", s, v2))
    if kind == "new_time":
        faster = rng.randint(1, v1)
        v1, v2 = sorted((v1, v2))
        t1, t2 = distance // v1, distance // v2
        text = say(rng, f"[{who}] {goes} [from A to B |]at {{v1}} {{rate}} and needs {{t1}} hours. [If the speed is increased by|If it goes faster by] {{f}} {{rate}}, how many hours [are needed|does it take]?", v1=v1, rate=rate, t1=t1, f=v2 - v1)
        s = work.mul("Distance", v1, t1)
        v3 = work.add("New speed", v1, v2 - v1)
        return work.problem(text, work.div("Hours", s, v3))
    t = t1 + t2
    s1 = base * rng.randint(1, t)
    s2 = base * t - s1 + base * rng.randint(1, 4) * t
    text = say(rng, f"[{who}] {goes} {{a}} {{km}} in [the first |]{{t1}} hours and {{b}} {{km}} in [the next |]{{t2}} hours. What is the average speed[| for the whole trip]?", a=s1, b=s2, t1=t1, t2=t2, km=km)
    s = work.add("Distance", s1, s2)
    t = work.add("Time", t1, t2)
    return work.problem(text, work.div("Average speed", s, t))


@family(2.0)
def meeting(rng):
    """Two travellers approach, separate or follow each other."""
    work = Work(rng, "meeting")
    km, rate = rng.choice(UNITS)
    a, b, t = speed_range(rng), speed_range(rng), rng.randint(2, 9)
    one, two = rng.choice([("a car", "a truck"), ("a bus", "a car"), ("train A", "train B"), ("a passenger train", "a freight train"), tuple(map(str, people(rng, 2))), ("car A", "car B"), ("the first ship", "the second ship")])
    names = dict(x=one, y=two, X=one[0].upper() + one[1:], km=km, rate=rate, a=a, b=b, t=t, s=(a + b) * t)
    kind = rng.choice(["time", "time", "distance", "apart", "other", "chase", "chase", "rest"])
    start = "[{X} and {y} [start|set out|depart|leave] [at the same time|simultaneously] from [two places|A and B|two cities|two stations] {s} {km} apart and [travel|drive|move|go] toward each other|[A and B|Two cities|Two towns] are {s} {km} apart. {X} and {y} [start|leave] from the two places at the same time [and [travel|go] toward each other|in opposite directions toward each other|, facing each other]]. "
    speeds = "[{X} [goes|travels] {a} {km} per hour and {y} {b} {km} per hour|The speed of {x} is {a} {rate} and the speed of {y} is {b} {rate}|{X} travels at {a} {rate} and {y} at {b} {rate}]. "
    if kind == "time":
        text = say(rng, start + speeds + "[After how many hours do they meet|How many hours later will they meet|In how many hours will they meet|How long does it take until they meet]?", **names)
        both = work.add("Together per hour", a, b)
        return work.problem(text, work.div("Hours", (a + b) * t, both))
    if kind == "distance":
        text = say(rng, "{X} and {y} [start|leave|set out] at the same time from [two places|A and B|two cities] and [travel|drive|go|move] toward each other. " + speeds + "They meet after {t} hours. [How far apart are the two places|What is the distance between [A and B|the two places]|How many {km} are the two places apart]?", **names)
        both = work.add("Together per hour", a, b)
        return work.problem(text, work.mul("Distance", both, t))
    if kind == "apart":
        text = say(rng, "{X} and {y} [start|leave] from the same [place|point|station] [at the same time|] in opposite directions. " + speeds + "How [far apart are they|many {km} are between them] after {t} hours?", **names)
        both = work.add("Together per hour", a, b)
        return work.problem(text, work.mul("Apart", both, t))
    if kind == "other":
        text = say(rng, start + "They meet after {t} hours. [{X} travels at|The speed of {x} is] {a} {rate}. [What is the speed of {y}|How fast is {y}|How many {km} does {y} go per hour]?", **names)
        both = work.div("Together per hour", (a + b) * t, t)
        return work.problem(text, work.sub("Speed", both, a))
    if kind == "rest":
        rest = rng.randint(5, 90)
        names["s"] = (a + b) * t + rest
        text = say(rng, start + speeds + "How [far apart are they|many {km} are they apart] after {t} hours?", **names)
        both = work.add("Together per hour", a, b)
        done = work.mul("Done", both, t)
        return work.problem(text, work.sub("Apart", (a + b) * t + rest, done))
    slow, diff = rng.randint(3, 60), rng.randint(1, 30)
    fast = slow + diff
    text = say(rng, "[{Y} is {g} {km} ahead of {x}|{X} starts {g} {km} behind {y}]. {X} [goes|travels] at {f} {rate} and {y} at {e} {rate} in the same direction. [After how many hours does {x} catch up with {y}|How many hours does {x} need to catch up]?", Y=two[0].upper() + two[1:], g=diff * t, f=fast, e=slow, **names)
    gain = work.sub("Gain per hour", fast, slow)
    return work.problem(text, work.div("Hours", diff * t, gain))


@family(0.8)
def map_scale(rng):
    """Distances on a map and in reality."""
    work = Work(rng, "map_scale")
    k, n = rng.randint(2, 60), rng.choice([Fraction(rng.randint(2, 20)), Fraction(rng.randint(5, 25), 2)])
    big = rng.choice(["kilometers", "km", "miles"])
    small = rng.choice(["centimeters", "cm"]) if big != "miles" else "inches"
    one = {"centimeters": "centimeter", "cm": "cm", "inches": "inch"}[small]
    kind = rng.choice(["real", "map", "scale"])
    lead = say(rng, "On a map, {a} {c} [represents|stands for|is] {k} {b}. ", a=1, c=one, k=k, b=big)
    if kind == "real":
        return work.problem(lead + say(rng, " [Two towns are {n} {c} apart on the map. How many {b} apart are they [in reality|really|]|The distance between two cities on the map is {n} {c}. What is the [real|actual] distance in {b}]?", n=n, c=small, b=big), work.mul("Distance", n, k))
    if kind == "map":
        return work.problem(lead + say(rng, " The [real|actual] distance between two [towns|cities|places] is {s} {b}. How many {c} is [it|this] on the map?", s=n * k, c=small, b=big), work.div("On the map", n * k, k))
    z = step_range(rng, 100000, 2000000, 100000)
    text = say(rng, "[On a map with [a|the] scale [of |]1:{z}, the distance between [A and B|two cities] is {n} [centimeters|cm]|The scale of a map is 1:{z}. The distance between [A and B|two cities] on the map is {n} [centimeters|cm]]. What is the [actual|real] distance in kilometers?", z=z, n=n)
    unit = work.div("1 cm in km", z, 100000)
    return work.problem(text, work.mul("Distance", n, unit))


@family(0.8)
def intervals(rng):
    """Trees, posts, stairs and cuts: intervals versus points."""
    work = Work(rng, "intervals")
    d, n = rng.randint(2, 20), rng.randint(3, 60)
    thing = rng.choice(["trees", "lamps", "flags", "posts", "flower pots", "poles"])
    kind = rng.choice(["ends", "ends", "circle", "length", "both", "cut", "stairs"])
    road = f"[{thing.capitalize()} are [planted|placed|put up] [every {{d}} meters along a {{l}}-meter [road|path|street]|along a road {{l}} meters long, one every {{d}} meters]|A [road|path|street] is {{l}} meters long. {thing.capitalize()} are [planted|placed|set] every {{d}} meters]"
    if kind in ("ends", "both"):
        sides = " on both sides" if kind == "both" else rng.choice(["", " on one side"])
        text = say(rng, road + sides + "[, also at both ends|, including both ends|, from one end to the other|, with one at each end]. How many {o} are [needed|there][| in all]?", d=d, l=d * n, o=thing)
        gaps = work.div("Gaps", d * n, d)
        count = work.add("One side" if kind == "both" else "Points", gaps, 1)
        return work.problem(text, work.mul("Both sides", count, 2) if kind == "both" else count)
    if kind == "circle":
        text = say(rng, "[A circular [lake|pond|park] has a circumference of {l} meters|The distance around a [lake|pond|playground] is {l} meters]. {o} are [planted|placed] [around it |]every {d} meters. How many {o} are [needed|there]?", d=d, l=d * n, o=thing)
        return work.problem(text, work.div("Count", d * n, d))
    if kind == "length":
        text = say(rng, "[Along a road there are {m} {o}|{m} {o} are planted along a road] [from end to end|, also at both ends], {d} meters apart. How long is the road[| in meters]?", d=d, m=n + 1, o=thing)
        gaps = work.sub("Gaps", n + 1, 1)
        return work.problem(text, work.mul("Length", gaps, d))
    if kind == "cut":
        n = rng.randint(3, 15)
        text = say(rng, "[It takes {d} minutes to saw through a log once|Each cut through a log takes {d} minutes]. How many minutes does it take to saw the log into {n} pieces?", d=d, n=n)
        cuts = work.sub("Cuts", n, 1)
        return work.problem(text, work.mul("Minutes", cuts, d))
    f = rng.randint(3, 12)
    text = say(rng, "{p} lives on [the |]floor {f}. There are {d} steps between [two|every two] floors. How many steps does {he} climb from floor 1[| to get home]?", p=(who := person(rng)), he=who.he, f=f, d=d)
    floors = work.sub("Flights", f, 1)
    return work.problem(text, work.mul("Steps", floors, d))
