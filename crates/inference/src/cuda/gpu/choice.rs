//! Which algorithms of a product give the same bits whatever its rows.
//!
//! A library offers several algorithms for each number of rows, the one it thinks fastest first.
//! They differ in how they cut a product into tiles, and some also in the order in which they add
//! up. Those that add up in one order give the same bits: so one is looked for, for each bucket of
//! row counts, among those whose bits are found in every bucket.

/// What an algorithm computed, or `None` where it could not, or where equal rows differed.
pub(super) type Bits = Option<u64>;

/// For each bucket the number of the algorithm to use, all of one order of sums; `None` where no
/// order is in every bucket. `found` has for each bucket the bits of its algorithms, fastest first.
///
/// The order is the one whose algorithms are ranked best in all buckets together, later buckets
/// (more rows, more work) counting as much as those before; of equally good ones the one that the
/// last bucket has first.
pub(super) fn choose(found: &[Vec<Bits>]) -> Option<Vec<usize>> {
    let last = found.last()?;
    let places = |bits: u64| -> Option<Vec<usize>> {
        let place = |bucket: &Vec<Bits>| bucket.iter().position(|&other| other == Some(bits));
        found.iter().map(place).collect()
    };
    let orders = last.iter().flatten().filter_map(|&bits| places(bits));
    orders.min_by_key(|places| places.iter().sum::<usize>())
}

/// The bucket of a number of rows: the first that holds as many, or the last one.
pub(super) fn bucket(buckets: &[usize], rows: usize) -> usize {
    let holds = buckets.iter().position(|&most| rows <= most);
    holds.unwrap_or(buckets.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_order_of_sums_is_chosen_for_all_buckets() {
        // Order 2 is in all buckets, order 1 and order 3 are not.
        let found = [
            vec![Some(1), Some(2)],
            vec![None, Some(2), Some(1)],
            vec![Some(3), Some(2)],
        ];
        assert_eq!(choose(&found), Some(vec![1, 1, 1]));
        // Two that are: the better ranked, and of equals the first of the last bucket.
        let found = [vec![Some(4), Some(5)], vec![Some(5), Some(4)]];
        assert_eq!(choose(&found), Some(vec![1, 0]));
        let found = [vec![Some(4), Some(5)], vec![Some(6), Some(5), Some(4)]];
        assert_eq!(choose(&found), Some(vec![1, 1]));
        assert_eq!(choose(&[vec![Some(1)], vec![Some(2)]]), None);
        assert_eq!(choose(&[vec![None], vec![None]]), None);
        assert_eq!(choose(&[]), None);
    }

    #[test]
    fn rows_are_in_the_first_bucket_that_holds_them() {
        let of = |rows| bucket(&[1, 16, 64], rows);
        assert_eq!([0, 1, 2, 16, 17, 64, 65].map(of), [0, 0, 1, 1, 2, 2, 2]);
    }
}
