//! Refuses to send items as chats that are in batches at the provider.

use std::io;
use std::path::Path;

use chatcore::{Error, ErrorKind};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::builder::refused;
use super::disk::Disk;
use super::read_all;

/// What is read of the record of the batches. The feature `provider-batches` writes it, but every
/// program that opens the run must see it.
#[derive(Deserialize)]
struct Stored {
    records: Records,
}

#[derive(Deserialize)]
struct Records {
    batches: Vec<IgnoredAny>,
}

/// Refuses a run with batches at the provider. A record that cannot be read may have some.
///
/// # Errors
/// `Config` with the code `at_provider`, or `Journal` if the file cannot be read.
pub(super) fn refuse(disk: &dyn Disk, path: &Path) -> Result<(), Error> {
    let bytes = match read_all(disk, path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(refused(path, "read", &error)),
    };
    let batches = match serde_json::from_slice::<Stored>(&bytes) {
        Ok(stored) if stored.records.batches.is_empty() => return Ok(()),
        Ok(stored) => stored.records.batches.len().to_string(),
        Err(_) => "an unknown number".to_owned(),
    };
    let why = format!(
        "items of this run may be in batches at the provider ({batches}, see {}), and would be paid \
         twice: go on with the run that created the batches (chatcore batch run --via provider), \
         cancel them with it (--cancel), or delete the file if there are no such batches",
        path.display()
    );
    Err(Error::new(ErrorKind::Config, why).with_code(Some("at_provider".to_owned())))
}
