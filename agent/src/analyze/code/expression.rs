//! Takes expressions and types apart, as they are written.

/// An expression that is longer is not shown whole.
const LONG: usize = 40;

/// A type's own name: `Worker` of `*pkg.Worker[T]`.
pub(super) fn plain_type(of: &str) -> &str {
    let of = of.trim().trim_start_matches(['*', '&', ' ']);
    let of = of.split(['[', '{', '(']).next().unwrap_or_default();
    of.rsplit('.').next().unwrap_or_default().trim()
}

/// The last part of a path, without an index: `Lock` of `s.mu.Lock`, `quit` of `s.all[i].quit`.
pub(super) fn last_part(path: &str) -> &str {
    without_index(path).rsplit('.').next().unwrap_or_default().trim()
}

/// A path without the index or type arguments at its end: `s.all` of `s.all[i]`.
pub(super) fn without_index(path: &str) -> &str {
    let path = path.trim();
    if !path.ends_with(']') {
        return path;
    }
    let mut depth = 0_usize;
    for (at, c) in path.char_indices().rev() {
        match c {
            ']' => depth += 1,
            '[' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return path[..at].trim_end();
        }
    }
    path
}

/// What a method is called on: `s.mu` of `s.mu.Lock`.
pub(super) fn operand(path: &str) -> Option<&str> {
    without_index(path).rsplit_once('.').map(|(operand, _)| operand.trim())
}

/// The type of what a list, array, map or channel holds; empty for other types.
pub(super) fn element(of: &str) -> &str {
    let of = of.trim_start_matches(['*', ' ']);
    let list = of.strip_prefix("map").unwrap_or(of);
    if list.starts_with('[') {
        let mut depth = 0_usize;
        for (at, c) in list.char_indices() {
            match c {
                '[' => depth += 1,
                ']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return &list[at + 1..];
            }
        }
    }
    of.trim_start_matches("<-")
        .strip_prefix("chan")
        .map_or("", |inner| inner.trim_start_matches("<-").trim())
}

/// An expression without what does not change the object.
pub(super) fn clean(expression: &str) -> &str {
    let mut expression = expression.trim();
    loop {
        let plain = expression.trim_start_matches(['&', '*', ' ']);
        let plain = plain.strip_prefix('(').and_then(|p| p.strip_suffix(')')).unwrap_or(plain);
        if plain == expression {
            return expression;
        }
        expression = plain;
    }
}

/// An expression as people are told it: of a call with long arguments the function.
pub(super) fn shown(expression: &str) -> String {
    match expression.split_once('(') {
        Some((callee, _)) if expression.ends_with(')') && expression.len() > LONG => {
            format!("{callee}(…)")
        }
        _ => expression.to_owned(),
    }
}

/// Whether a text is one name.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && text != "_" && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// A name, or names joined by dots.
pub(super) fn is_path(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.split('.').all(is_name)
        && !matches!(text, "nil" | "true" | "false")
}

/// A path of which any part may have an index: `s.all[i].quit`.
pub(super) fn is_indexed_path(text: &str) -> bool {
    if is_path(text) {
        return true;
    }
    let mut rest = text;
    while let Some((before, last)) = rest.rsplit_once('.') {
        if !is_name(last) {
            return false;
        }
        let plain = without_index(before);
        if is_path(plain) {
            return true;
        }
        rest = plain;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_with_long_arguments_is_shown_by_its_function() {
        for (expression, expected) in [
            ("ctx.Done()", "ctx.Done()"),
            ("merge(all, func(n int) int {\n\treturn n\n})", "merge(…)"),
        ] {
            assert_eq!(shown(expression), expected);
        }
    }
}
