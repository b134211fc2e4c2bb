//! Tests of the statistics, from outside.

mod coverage; // how often intervals hold the truth, and decisions err, in simulations
mod properties; // what must hold for any counts
mod resampling; // bootstrap and sign flips: other implementations, threads, time
mod vectors; // scipy, statsmodels, published examples
