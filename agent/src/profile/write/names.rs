//! Names as Go prints them.

use std::borrow::Cow;

/// A function's name with the types of an instance left out: `main.Map[...].Get` for
/// `main.Map[go.shape.string].Get` (`runtime/symtab.go` and `traceback.go`, `funcNameForPrint`).
pub(super) fn function(name: &str) -> Cow<'_, str> {
    let Some((open, close)) = name.find('[').zip(name.rfind(']')) else { return line(name) };
    let Some(inside) = name.get(open + 1..close) else { return line(name) };
    let (before, behind) = (&name[..open], &name[close + 1..]);
    if !inside.contains('[') {
        return Cow::Owned(line(&format!("{before}[...]{behind}")).into_owned());
    }
    // A method of an instance may be one itself: `main.Map[A].Get[B]`. Then a bracket closes that was
    // opened before, and another opens behind it.
    let (mut depth, mut closed, mut opened) = (1_usize, None, None);
    for (at, c) in inside.char_indices() {
        match c {
            '[' => {
                depth += 1;
                if depth == 1 {
                    opened = Some(at);
                    break;
                }
            }
            ']' if depth == 0 => return line(name),
            ']' => {
                depth -= 1;
                if depth == 0 {
                    closed = Some(at);
                }
            }
            _ => {}
        }
    }
    match (depth, closed, opened) {
        (1, Some(closed), Some(opened)) => {
            let between = &inside[closed + 1..opened];
            Cow::Owned(line(&format!("{before}[...]{between}[...]{behind}")).into_owned())
        }
        (1, None, None) => Cow::Owned(line(&format!("{before}[...]{behind}")).into_owned()),
        _ => line(name),
    }
}

/// The same on a traceback, where a panic's function is called `panic`.
pub(super) fn traced(name: &str) -> Cow<'_, str> {
    if name == "runtime.gopanic" { Cow::Borrowed("panic") } else { function(name) }
}

/// A text that comes from a target: nothing in it ends the line or the column that it stands in.
pub(super) fn line(text: &str) -> Cow<'_, str> {
    if text.contains(char::is_control) {
        Cow::Owned(text.replace(char::is_control, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_instances_are_left_out() {
        for (name, printed) in [
            ("main.work", "main.work"),
            ("main.Map[go.shape.int]", "main.Map[...]"),
            ("main.Map[go.shape.int,go.shape.string].func1", "main.Map[...].func1"),
            ("main.(*List[go.shape.[]uint8]).Push", "main.(*List[...]).Push"),
            ("main.(*List[go.shape.int]).Map[go.shape.string]", "main.(*List[...]).Map[...]"),
            ("main.F[[4]int]", "main.F[...]"),
            ("main.]broken[", "main.]broken["),
            ("main.a[b]c]d[e]", "main.a[b]c]d[e]"),
            ("main.two\nlines", "main.two\u{fffd}lines"),
        ] {
            assert_eq!(function(name), printed, "{name}");
        }
        assert_eq!(traced("runtime.gopanic"), "panic");
    }
}
