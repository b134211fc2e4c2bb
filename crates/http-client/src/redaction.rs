//! Addresses without their secrets.

/// A text that may be an address, for messages and files: what stands before an `@` of its host
/// and the query, both of which may be secrets, are left out; so is a fragment.
pub fn redact(address: &str) -> String {
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), address),
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let host_ends = rest.find('/').unwrap_or(rest.len());
    // The last @ before the path: a password may hold one, and so may a path.
    match rest[..host_ends].rfind('@') {
        Some(at) => format!("{scheme}…@{}", &rest[at + 1..]),
        None => format!("{scheme}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn passwords_and_queries_are_left_out() {
        for (address, shown) in [
            ("https://u:p@w@host/x@y", "https://…@host/x@y"),
            ("https://host/x@y", "https://host/x@y"),
            ("https://host/x?key=secret#part", "https://host/x"),
            ("https://u@host?a@b", "https://…@host"),
            ("u:p@host/x", "…@host/x"),
            ("folder/file", "folder/file"),
            ("", ""),
        ] {
            assert_eq!(redact(address), shown, "{address}");
        }
    }
}
