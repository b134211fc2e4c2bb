//! temp
use std::time::Instant;
use generation::{Decoding, Event, FinishReason, Generator, Prompt};
use inference::*;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let threads = args.get(1).and_then(|s| s.parse().ok());
    let batch = args.get(2).and_then(|s| s.parse().ok());
    let t = Instant::now();
    let mut m = LocalModel::load(CheckpointFiles::open("models/demo".as_ref()).unwrap(), &EngineOptions { threads, batch_size: batch, ..Default::default() }).unwrap();
    println!("load {:?}; {:?}", t.elapsed(), m.info());
    let base = "Tom has 12 apples and buys 7 more at the market for 3 dollars each. How many apples does he have now, and how much did he pay? ";
    let prompts: Vec<Prompt> = (0..500).map(|i| Prompt { id: i.to_string(), sample: 0, text: format!("{}{}", base.repeat(1 + i % 6), i) }).collect();
    let (mut p, mut d, mut n) = (0, 0, [0; 4]);
    let t = Instant::now();
    let mut h = 0u64;
    m.generate(&prompts, &Decoding { max_tokens: 160, stop: vec!["\n\n\n".into()] }, &mut |e| { match e { Event::Prefilled(x) => p += x, Event::Decoded(x) => d += x, Event::Finished(c) => { n[match c.finish_reason { FinishReason::Eos => 0, FinishReason::Stop => 1, FinishReason::Length => 2, _ => 3 }] += 1; if c.index < 2 { println!("{}: {:?}", c.index, c.text) } h = h.wrapping_add(c.text.bytes().fold(c.index as u64, |a, b| a.wrapping_mul(31).wrapping_add(b as u64))); } }; Ok(()) }).unwrap();
    let s = t.elapsed().as_secs_f64();
    println!("{p} prefilled, {d} decoded in {s:.1} s: {:.0} tokens/s, {:.0} new tokens/s, {:.1} prompts/s; {n:?} hash {h:x}", (p + d) as f64 / s, d as f64 / s, 500.0 / s);
}
