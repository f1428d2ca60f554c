//! A request as a shell command. The key is never in it: the command reads it from `SEGTUI_API_KEY`, like this program.

/// The `curl` command for a request, on one line.
#[must_use]
pub fn curl(method: &str, url: &str, tenant: &str, body: Option<&str>) -> String {
    let method = if method == "GET" { String::new() } else { format!(" -X {method}") };
    let (url, tenant) = (quoted(url), quoted(&format!("one-tenant: {tenant}")));
    // Not `--data`, which reads a file if the body begins with an `@`.
    let body = body
        .map_or_else(String::new, |body| format!(" -H 'content-type: application/json' --data-raw {}", quoted(body)));
    format!("curl{method} {url} -H {tenant} -H \"ApiAuth: $SEGTUI_API_KEY\" -H 'accept: */*'{body}")
}

/// A text quoted for any POSIX shell: only an apostrophe has to be put outside the quotes.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_passes_every_argument_unchanged() {
        let body = r#"{"name":"O'Neill $HOME `id` \\ ! \"x\" @file łódź"}"#;
        let command = curl("PUT", "https://one.example/segments/a%20b?x='1'&y=2", "acme", Some(body));
        let script = format!("curl() {{ printf '%s\\n' \"$@\"; }}; SEGTUI_API_KEY='a b'; {command}");
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let words = String::from_utf8(output.stdout).unwrap();
        let words: Vec<&str> = words.lines().collect();
        assert_eq!(
            words,
            [
                "-X",
                "PUT",
                "https://one.example/segments/a%20b?x='1'&y=2",
                "-H",
                "one-tenant: acme",
                "-H",
                "ApiAuth: a b",
                "-H",
                "accept: */*",
                "-H",
                "content-type: application/json",
                "--data-raw",
                body
            ]
        );
    }

    #[test]
    fn a_get_has_no_method_and_no_body() {
        assert_eq!(
            curl("GET", "https://one.example/segments", "acme", None),
            "curl 'https://one.example/segments' -H 'one-tenant: acme' -H \"ApiAuth: $SEGTUI_API_KEY\" -H 'accept: */*'"
        );
    }
}
