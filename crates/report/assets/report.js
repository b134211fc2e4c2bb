"use strict";
(() => {
  const VERDICTS = ["correct", "wrong", "no answer", "truncated", "failed"];
  const LETTERS = ["✓", "✗", "–", "…", "!"];
  const MATHML = "http://www.w3.org/1998/Math/MathML";
  const ELEMENTS = new Set(("math mrow mi mo mn ms mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover " +
    "mtable mtr mtd mpadded mphantom mstyle menclose mmultiscripts mprescripts none merror semantics").split(" "));
  const ATTRIBUTES = new Set(("display displaystyle scriptlevel mathvariant stretchy symmetric fence separator form lspace rspace " +
    "largeop movablelimits accent accentunder linethickness width height depth voffset minsize maxsize columnalign rowalign " +
    "columnspacing rowspacing columnspan rowspan notation columnlines rowlines").split(" "));
  // What could turn a text around or hide a part of it; `html.rs` names the same ones.
  const HIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
  // Seven bits that a character of two bytes has; `seven_bits.rs` names the same ones.
  const ESCAPED = [0, 7, 8, 9, 10, 11, 12, 13, 14, 15, 26, 27, 60];
  // Stands around a formula; `formulas.rs` says how.
  const MARK = "\u007f";
  // Where the source of a formula has the text of an element; `codes.rs` has the same expressions.
  const NEXT = {
    mi: /\\(?:(?:begin|end)\{[^{}]*\}|[a-zA-Z]+|.)|([a-zA-Z])/gsu,
    mn: /\\(?:(?:begin|end)\{[^{}]*\}|[a-zA-Z]+|.)|([0-9]+(?:[.,][0-9]+)*)/gsu,
    mo: /\\(?:(?:begin|end)\{[^{}]*\}|[a-zA-Z]+|.)|([^\\a-zA-Z0-9{}^_&$~ \n])/gsu,
    mtext: /\{([^{}]*)\}/gsu,
  };
  const ROW = 60;
  const $ = id => document.getElementById(id);
  const state = { shown: [], chosen: -1, source: false, texts: [], loaded: 0 };
  const parsed = new Promise(done => document.addEventListener("DOMContentLoaded", done));
  let index, first, stop;

  // Bytes written seven bits a character.
  function bytes(text) {
    const found = new Uint8Array(Math.ceil(text.length * 14 / 8));
    let [bits, count, length] = [0, 0, 0];
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 256 && code < 1920) { bits = bits << 7 | ESCAPED[(code - 256) >> 7]; count += 7; }
      bits = bits << 7 | code & 127;
      count += 7;
      while (count >= 8) { count -= 8; found[length++] = bits >> count; }
    }
    return found.subarray(0, length);
  }

  async function unpacked(id) {
    // The blocks stand behind this script.
    if (!$(id) && document.readyState === "loading") await parsed;
    const stream = new Blob([bytes($(id).textContent)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return JSON.parse(await new Response(stream).text());
  }

  // The pieces of a text, every second one a formula.
  const pieces = marked => marked.startsWith(MARK + MARK) ? [marked.slice(2)] : marked.split(MARK);
  const bare = marked => pieces(marked).join("");

  // A block, with all that `blocks.rs` left out as it stands elsewhere: its items, and the codes of its formulas by source.
  async function read(number) {
    const { texts, items, around, kinds, codes } = await unpacked("b" + number);
    const formulas = new Map();
    const all = codes.split(" ");
    const noted = marked => {
      pieces(marked).forEach((piece, i) => { if (i % 2 && !formulas.has(piece)) formulas.set(piece, all[formulas.size]); });
      return marked;
    };
    items.forEach((item, i) => {
      const [rest, ...completions] = texts[i];
      item.q = noted(index.head[number * index.block + i] + rest);
      noted(item.r);
      item.c.forEach((data, j) => {
        data.t = noted(completions[j]);
        if (typeof data.a === "number") {
          const spanned = bare(data.t).slice(...data.s);
          data.a = data.a ? MARK + spanned + MARK : spanned;
        }
        if (data.a !== undefined) noted(data.a);
        if (data.o === 0) data.o = bare(data.a);
      });
    });
    return { items, around, kinds, formulas };
  }

  // Blocks, the latest used kept.
  const blocks = new Map();
  function block(number) {
    let known = blocks.get(number);
    if (known) blocks.delete(number);
    else known = read(number);
    blocks.set(number, known);
    if (blocks.size > 8) blocks.delete(blocks.keys().next().value);
    return known;
  }

  function make(name, attributes, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) element.setAttribute(key, value);
    element.append(...children.filter(child => child !== null && child !== undefined));
    return element;
  }

  const written = hidden => "⟨U+" + hidden.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0") + "⟩";

  // A text node, with what is hidden in it written out.
  function plain(parent, text) {
    let at = 0;
    for (const found of text.matchAll(HIDDEN)) {
      parent.append(text.slice(at, found.index), make("span", { class: "ctl" }, written(found[0])));
      at = found.index + found[0].length;
    }
    parent.append(text.slice(at));
  }

  // The text that the source of a formula has next for an element.
  function next(expression, source) {
    let found;
    do found = expression.exec(source); while (found && found[1] === undefined);
    const text = found ? found[1] : "";
    if (text === "-") return "\u2212";
    return (text.startsWith(" ") ? "\u00a0" : "") + text.replace(/^ +| +$/g, "") + (text.endsWith(" ") ? "\u00a0" : "");
  }

  // MathML element by element: nothing but what formulas are made of.
  function formula(source, code, kinds) {
    const root = make("span");
    const open = [root];
    let at = 0;
    for (const letter of code) {
      if (letter === "!") { open.pop(); continue; }
      const [name, attributes, text] = kinds[letter.charCodeAt(0) - 35];
      const element = document.createElementNS(MATHML, ELEMENTS.has(name) ? name : "mrow");
      for (const key in attributes) if (ATTRIBUTES.has(key)) element.setAttribute(key, attributes[key]);
      open[open.length - 1].append(element);
      if (text !== undefined) element.append(text.replace(HIDDEN, written));
      else if (NEXT[name]) {
        NEXT[name].lastIndex = at;
        element.append(next(NEXT[name], source).replace(HIDDEN, written));
        at = NEXT[name].lastIndex;
      } else open.push(element);
    }
    return root.firstChild;
  }

  // A text with its formulas, and `span` of it marked.
  function rich(parent, marked, { formulas, kinds }, span = [0, 0]) {
    let end = 0;
    pieces(marked).forEach((piece, i) => {
      const start = end;
      end += piece.length;
      const [from, to] = span.map(at => Math.min(Math.max(at, start), end) - start);
      if (i % 2 && !state.source) {
        const node = formula(piece, formulas.get(piece), kinds);
        return parent.append(from < to ? make("mark", {}, node) : node);
      }
      plain(parent, piece.slice(0, from));
      if (from < to) {
        const mark = make("mark");
        plain(mark, piece.slice(from, to));
        parent.append(mark);
      }
      plain(parent, piece.slice(to));
    });
    return parent;
  }

  const text = (value, block, span) => rich(make("div", { class: "text" }), value, block, span);

  function badge(verdict, title) {
    return make("span", { class: "badge b" + verdict, title }, LETTERS[verdict]);
  }

  // What the list says of an item: the verdicts of its only completions, or how many are right.
  function badges(item, scorer) {
    const box = make("span", { class: "badges" });
    const [verdicts, correct] = scorer ? [index.w, index.wc] : [index.v, index.vc];
    index.runs.forEach((name, run) => {
      let [all, right, last] = [0, 0, -1];
      for (let row = first[item]; row < first[item + 1]; row++) {
        if (index.run[row] === run) { all++; right += correct[row]; last = row; }
      }
      if (all === 1) box.append(badge(verdicts[last], name + ": " + VERDICTS[verdicts[last]]));
      else if (all > 1) box.append(make("span", { class: "badge b" + (right ? 0 : 1), title: name }, right + "/" + all));
      else box.append(make("span", { class: "badge b4", title: name + ": not done yet" }, "?"));
    });
    return box;
  }

  // The beginning of a problem.
  const snippet = item => index.head[item].replaceAll(MARK, "");

  function draw() {
    const list = $("list");
    const from = Math.max(0, Math.floor(list.scrollTop / ROW) - 6);
    const to = Math.min(state.shown.length, from + Math.ceil(list.clientHeight / ROW) + 12);
    const scorer = +$("scorer").value;
    const rows = [];
    for (let place = from; place < to; place++) {
      const item = state.shown[place];
      const id = make("span", { class: "id" });
      plain(id, index.id[item]);
      const what = make("div", { class: "what" });
      plain(what, snippet(item));
      const row = make("div", { class: "row", role: "option", id: "row" + place, "aria-selected": String(place === state.chosen) },
        make("div", { class: "head" }, id, badges(item, scorer)), what);
      row.addEventListener("click", () => choose(place));
      rows.push(row);
    }
    $("space").style.height = state.shown.length * ROW + "px";
    $("drawn").style.transform = "translateY(" + from * ROW + "px)";
    $("drawn").replaceChildren(...rows);
    if (state.chosen >= from && state.chosen < to) list.setAttribute("aria-activedescendant", "row" + state.chosen);
    else list.removeAttribute("aria-activedescendant");
  }

  // Whether a completion is of the kind that is asked for.
  function kinds(kind, scorer) {
    const [verdicts, correct] = scorer ? [index.w, index.wc] : [index.v, index.vc];
    switch (kind) {
      case "right": return row => correct[row] === 1;
      case "wrong": return row => verdicts[row] === 1;
      case "none": return row => index.none[row] === 1;
      case "cut": return row => index.cut[row] === 1;
      case "failed": return row => verdicts[row] === 4;
      case "differ": return row => index.vc[row] !== index.wc[row];
      default: return null;
    }
  }

  function share(item, run, correct) {
    let [all, right] = [0, 0];
    for (let row = first[item]; row < first[item + 1]; row++) if (index.run[row] === run) { all++; right += correct[row]; }
    return all ? right / all : null;
  }

  function filter(keep) {
    const started = performance.now();
    const scorer = +$("scorer").value;
    const words = $("search").value.trim().toLowerCase();
    const set = $("set").value === "" ? -1 : +$("set").value;
    const rule = $("rule").value === "" ? -1 : +$("rule").value;
    const rules = scorer ? index.y : index.x;
    const kind = kinds($("verdict").value, scorer);
    const flip = $("flip").value.split(":");
    const correct = scorer ? index.wc : index.vc;
    const chosen = keep && state.chosen >= 0 ? state.shown[state.chosen] : -1;
    state.shown = [];
    for (let item = 0; item < index.id.length; item++) {
      if (set >= 0 && index.set[item] !== set) continue;
      if (kind || rule >= 0) {
        let found = false;
        for (let row = first[item]; row < first[item + 1] && !found; row++) {
          found = (!kind || kind(row)) && (rule < 0 || rules[row] === rule);
        }
        if (!found) continue;
      }
      if (flip.length === 2) {
        const [before, after] = [share(item, 0, correct), share(item, +flip[1], correct)];
        if (before === null || after === null) continue;
        if (flip[0] === "won" ? !(after > before) : flip[0] === "lost" ? !(after < before) : after === before) continue;
      }
      if (words && !(state.texts[item] ?? (index.id[item] + "\n" + snippet(item)).toLowerCase()).includes(words)) continue;
      state.shown.push(item);
    }
    state.chosen = chosen >= 0 ? state.shown.indexOf(chosen) : -1;
    if (!keep) $("list").scrollTop = 0;
    draw();
    const all = index.id.length;
    const partly = words && state.loaded < all ? ", " + Math.floor(100 * state.loaded / all) + " % of the texts searched" : "";
    $("count").textContent = state.shown.length + " of " + all + " items" + partly;
    $("count").dataset.milliseconds = (performance.now() - started).toFixed(1);
  }

  function trace(rules) {
    const list = make("ul", { class: "trace" });
    for (const rule of rules) {
      list.append(make("li", {}, make("code", {}, index.rules[rule]), index.purposes[rule] ? " " + index.purposes[rule] : ""));
    }
    return list;
  }

  function pair(list, name, value) {
    const cell = make("dd");
    if (typeof value === "string") plain(cell, value);
    else cell.append(value);
    list.append(make("dt", {}, name), cell);
  }

  function card(row, data, block) {
    const several = index.runs.length > 1 ? index.runs[index.run[row]] + ", " : "";
    const [tokens, asked] = [index.t[row], index.p[row]];
    const title = make("h3");
    plain(title, several + "sample " + index.sample[row]);
    const box = make("div", { class: "card" }, title);
    box.append(make("p", { class: "faint" }, asked + " tokens read, " + tokens + " written, ended by " + data.e));
    if (data.err) { const error = make("p"); plain(error, data.err); box.append(error); }
    box.append(text(data.t, block, data.s));
    const official = make("dl");
    const verdict = (verdicts) => make("span", {}, badge(verdicts[row], VERDICTS[verdicts[row]]), " " + VERDICTS[verdicts[row]]);
    pair(official, "official", verdict(index.v));
    pair(official, "prediction", data.o ?? "(none)");
    if (data.ex) pair(official, "exception", data.ex + " (the original scorer would drop the whole task)");
    pair(official, "decided by", trace(data.x));
    const strict = make("dl");
    pair(strict, "strict", verdict(index.w));
    pair(strict, "answer", data.a === undefined ? "(none)" : rich(make("span"), data.a, block));
    if (data.h) pair(strict, "in its thoughts", (data.h.answer ?? "(none)") + (data.h.correct ? ", correct" : ", not correct"));
    pair(strict, "decided by", trace(data.y));
    box.append(official, strict);
    return box;
  }

  function prompt(data, around, run) {
    const given = data.p[run];
    return typeof given === "number" ? around[given][0] + bare(data.q) + around[given][1] : given;
  }

  async function show(item) {
    const page = $("item");
    const found = await block(Math.floor(item / index.block));
    if (state.shown[state.chosen] !== item) return;
    const data = found.items[item % index.block];
    const id = make("h3", { class: "big" });
    plain(id, index.id[item]);
    const link = make("a", { href: "#item=" + encodeURIComponent(index.id[item]) }, "link to this item");
    const where = make("p", { class: "faint" });
    plain(where, index.titles[index.set[item]] + ", task " + index.tasks[index.task[item]]);
    const parts = [make("div", { class: "title" }, id, link), where, make("h3", {}, "Problem"), text(data.q, found),
      make("h3", {}, "Reference"), text(data.r, found)];
    const prompts = new Map();
    index.runs.forEach((name, run) => {
      const given = prompt(data, found.around, run);
      if (given !== null) prompts.set(given, [...(prompts.get(given) ?? []), name]);
    });
    for (const [given, names] of prompts) {
      const body = make("div", { class: "text" });
      plain(body, given);
      const summary = make("summary");
      plain(summary, "Prompt" + (prompts.size > 1 ? " of " + names.join(", ") : ""));
      parts.push(make("details", {}, summary, body));
    }
    const cards = make("div", { class: "cards" });
    for (let row = first[item], i = 0; row < first[item + 1]; row++, i++) cards.append(card(row, data.c[i], found));
    parts.push(make("h3", {}, first[item + 1] - first[item] > 1 ? "Completions" : "Completion"), cards);
    page.replaceChildren(...parts);
    page.scrollTop = 0;
    page.dataset.item = index.id[item];
  }

  function choose(place, jump) {
    if (place < 0 || place >= state.shown.length) return;
    state.chosen = place;
    const list = $("list");
    const top = place * ROW;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
    draw();
    const item = state.shown[place];
    if (!jump) history.replaceState(null, "", "#item=" + encodeURIComponent(index.id[item]));
    show(item);
  }

  // The item that the address names, among all items where it is not among those shown.
  function follow() {
    const wanted = new URLSearchParams(location.hash.slice(1)).get("item");
    const item = wanted === null ? -1 : index.id.indexOf(wanted);
    if (item < 0) return;
    if (!state.shown.includes(item)) clear();
    choose(state.shown.indexOf(item), true);
    if (wanted) $("browser").scrollIntoView();
  }

  function clear() {
    for (const id of ["search", "set", "verdict", "flip", "rule"]) $(id).value = "";
    filter();
  }

  function options(id, entries) {
    $(id).replaceChildren(...entries.map(([value, name]) => {
      const option = make("option", { value });
      plain(option, name);
      return option;
    }));
  }

  // The rules that decided by the chosen scorer, the commonest first.
  function rules() {
    const counts = new Map();
    for (const rule of +$("scorer").value ? index.y : index.x) counts.set(rule, (counts.get(rule) ?? 0) + 1);
    counts.delete(-1);
    const sorted = [...counts].sort((one, other) => other[1] - one[1]);
    options("rule", [["", "any"], ...sorted.map(([rule, count]) => [rule, index.rules[rule] + " (" + count + ")"])]);
  }

  // Reads all texts for the search, a block at a time, while nothing else is done.
  async function load() {
    const count = Math.ceil(index.id.length / index.block);
    for (let number = 0; number < count; number++) {
      const { items } = await (blocks.get(number) ?? read(number));
      items.forEach((data, i) => {
        const item = number * index.block + i;
        const parts = [index.id[item], bare(data.q), bare(data.r)];
        for (const { t, o, a } of data.c) parts.push(bare(t), o ?? "", a === undefined ? "" : bare(a));
        state.texts[item] = parts.join("\n").toLowerCase();
      });
      state.loaded += items.length;
      if ($("search").value.trim() && (number % 4 === 3 || number === count - 1)) filter(true);
      await new Promise(resume => setTimeout(resume));
    }
    document.documentElement.dataset.loaded = "yes";
  }

  function key(event) {
    const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
    if (event.key === "Escape" && typing) return event.target.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const kinds = { 1: "", 2: "right", 3: "wrong", 4: "none", 5: "differ" };
    if (event.key === "j" || event.key === "ArrowDown" && event.target === $("list")) choose(state.chosen + 1);
    else if (event.key === "k" || event.key === "ArrowUp" && event.target === $("list")) choose(state.chosen - 1);
    else if (event.key === "/") { $("search").focus(); $("search").select(); }
    else if (event.key === "f") { state.source = !state.source; if (state.chosen >= 0) show(state.shown[state.chosen]); }
    else if (event.key in kinds) { $("verdict").value = kinds[event.key]; filter(); }
    else return;
    event.preventDefault();
  }

  async function start() {
    index = await unpacked("index");
    first = [0];
    for (const rows of index.rows) first.push(first[first.length - 1] + rows);
    options("set", [["", "all"], ...index.titles.map((title, number) => [number, title])]);
    if (index.runs.length > 1) {
      const flips = index.runs.slice(1).flatMap((name, place) => ["won", "lost", "changed"].map(kind =>
        [kind + ":" + (place + 1), name + " " + kind + (kind === "changed" ? " from " : " against ") + index.runs[0]]));
      options("flip", [["", "any"], ...flips]);
      $("flip-label").hidden = false;
    } else options("flip", [["", "any"]]);
    rules();
    filter();
    follow();
    for (const id of ["set", "verdict", "flip", "rule"]) $(id).addEventListener("change", () => filter());
    $("scorer").addEventListener("change", () => { rules(); filter(); });
    $("search").addEventListener("input", () => { clearTimeout(stop); stop = setTimeout(() => filter(), 60); });
    $("clear").addEventListener("click", clear);
    $("filters").addEventListener("submit", event => event.preventDefault());
    $("list").addEventListener("scroll", draw);
    addEventListener("resize", draw);
    addEventListener("hashchange", follow);
    document.addEventListener("keydown", key);
    document.documentElement.dataset.ready = "yes";
    if (document.readyState === "loading") await parsed;
    await load();
  }

  start().catch(error => { $("count").textContent = "The items of this page cannot be read: " + error.message; });
})();
