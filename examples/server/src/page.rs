//! Serves the page at `/` and the npm package that it uses.

use std::io;
use std::path::Path;

use crate::errors::ApiError;
use crate::settings::Settings;

/// The page's files, built into the program.
const FILES: &[(&str, &str)] = &[
    ("index.html", include_str!("../web/index.html")),
    ("page.css", include_str!("../web/page.css")),
    ("main.js", include_str!("../web/main.js")),
    ("chat.js", include_str!("../web/chat.js")),
    ("batch.js", include_str!("../web/batch.js")),
    ("figures.js", include_str!("../web/figures.js")),
    ("client.js", include_str!("../web/client.js")),
    ("words.js", include_str!("../web/words.js")),
];

/// What the page uses of the npm package, on the browser's `fetch`.
const CLIENT: &str = include_str!("../web/plain.js");

/// The page may only load and call this server. `wasm-unsafe-eval` is needed because the npm
/// package's core is WebAssembly.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
     style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// A file's content and its media type.
pub(crate) type File = (Vec<u8>, &'static str);

/// A file of the page.
pub(crate) async fn file(settings: &Settings, name: &str) -> Result<File, ApiError> {
    if let Some(folder) = &settings.web {
        return read(folder, name)
            .await
            .map_err(|error| not_found(name, &error));
    }
    let built_in = FILES.iter().find(|(known, _)| *known == name);
    match built_in {
        Some((_, text)) => Ok((text.as_bytes().to_vec(), media_type(name))),
        None => Err(not_found(name, &io::ErrorKind::NotFound.into())),
    }
}

/// A file of the built npm package. Without the package, the page's own client takes the place of
/// the package's entry, so that the page needs no file beside the program.
pub(crate) async fn package(settings: &Settings, name: &str) -> Result<File, ApiError> {
    let file = match &settings.npm {
        Some(folder) => read(folder, name).await,
        None => Err(io::ErrorKind::NotFound.into()),
    };
    match file {
        Ok(file) => Ok(file),
        Err(_) if name == "index.js" => Ok((CLIENT.into(), media_type(name))),
        Err(error) => Err(not_found(name, &error)),
    }
}

async fn read(folder: &Path, name: &str) -> io::Result<File> {
    // Only plain file names, so that no path leads out of the folder.
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if name.starts_with('.') || !name.bytes().all(is_plain) {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok((smol::fs::read(folder.join(name)).await?, media_type(name)))
}

fn not_found(name: &str, error: &io::Error) -> ApiError {
    ApiError::new(
        404,
        "not_found",
        format!("there is no file {name:?}: {}", error.kind()),
    )
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}
