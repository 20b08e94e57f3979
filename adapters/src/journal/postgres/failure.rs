//! Failures of the database: which pass, and what is told about them.

use chatcore::{Error, ErrorKind};

/// Why a statement failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// It did not end in time. Whether it was carried out is unknown.
    TimedOut,
    /// No connection was made, for a reason that may pass.
    Unreached(Box<Failed>),
    Sql(sqlx::Error),
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Sql(error)
    }
}

impl Failed {
    /// Whether the same statement may succeed later.
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            Self::TimedOut | Self::Unreached(_) => true,
            Self::Sql(sqlx::Error::Io(_)) => true,
            // A server that ends in mid-message looks like this.
            Self::Sql(sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed) => true,
            Self::Sql(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default();
                is_temporary(&code)
            }
            Self::Sql(_) => false,
        }
    }

    /// Whether the server cannot be reached, does not answer, or is shut down or started: another
    /// statement would fail, too.
    pub(super) fn is_away(&self) -> bool {
        match self {
            Self::Sql(sqlx::Error::Database(error)) => {
                let code = error.code().unwrap_or_default();
                matches!(code.get(..2), Some("08")) || matches!(&*code, "57P01" | "57P02" | "57P03")
            }
            failed => failed.is_temporary(),
        }
    }

    /// The failure of an attempt to connect.
    pub(super) fn while_connecting(self) -> Self {
        match self.is_temporary() {
            true => Self::Unreached(Box::new(self)),
            false => self,
        }
    }

    /// Whether the connection can be used again.
    pub(super) fn keeps_connection(&self) -> bool {
        match self {
            Self::Sql(sqlx::Error::Database(error)) => {
                // Class 57 (the server is shut down) and class 08 end the connection, and a server
                // that became a standby keeps refusing on it. 57014 is a cancelled statement.
                let code = error.code().unwrap_or_default();
                let ends = code.starts_with("08") || code.starts_with("57") || code == "25006";
                !ends || code == "57014"
            }
            Self::Sql(sqlx::Error::RowNotFound) => true,
            _ => false,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::TimedOut => "the server did not answer in time".to_owned(),
            Self::Unreached(failed) => failed.text(),
            // Not the place in the server's source code, which sqlx adds.
            Self::Sql(sqlx::Error::Database(error)) => error.message().to_owned(),
            Self::Sql(error) => error.to_string(),
        }
    }

    fn advice(&self) -> &'static str {
        let code = match self {
            Self::Unreached(failed) => return failed.advice(),
            Self::Sql(sqlx::Error::Database(error)) => {
                error.code().unwrap_or_default().into_owned()
            }
            _ => String::new(),
        };
        match code.as_str() {
            "28P01" | "28000" => "check the user and the password in the URL",
            "3D000" => "create the database, or check its name in the URL",
            "3F000" | "42501" => "grant the user the right to create and use the schema",
            "53100" => "make room on the server's disk, then resume",
            "53300" => "raise the server's max_connections, or start fewer workers",
            _ if self.is_temporary() => "check that the server runs and can be reached",
            _ => "check the URL of the database",
        }
    }

    /// The error that a caller sees: `what` could not be done by the server at `place`. `secrets` are
    /// removed from its text.
    pub(super) fn error(
        &self,
        kind: ErrorKind,
        what: &str,
        place: &str,
        secrets: &[String],
    ) -> Error {
        let text = self.text();
        let (why, code) = match self {
            Self::Unreached(_) => (
                format!("PostgreSQL at {place} cannot be reached: {text}"),
                "postgres_unreachable",
            ),
            _ => (format!("PostgreSQL could not {what}: {text}"), "postgres"),
        };
        let why = format!("{why}; {}", self.advice());
        Error::new(kind, redacted(why, secrets)).with_code(Some(code.to_owned()))
    }
}

/// `text` without the secrets.
pub(super) fn redacted(mut text: String, secrets: &[String]) -> String {
    for secret in secrets {
        text = text.replace(secret.as_str(), "***");
    }
    text
}

/// Whether errors with this SQLSTATE pass: lost connections, a server that starts or stops,
/// conflicts of transactions, a lack of resources, and a failover to a server that still is a
/// standby.
fn is_temporary(code: &str) -> bool {
    matches!(&code.get(..2), Some("08" | "40" | "53" | "57" | "58"))
        || matches!(code, "55P03" | "25006" | "25P03")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        for code in [
            "08006", "40001", "40P01", "57P01", "57014", "53300", "55P03", "25006",
        ] {
            assert!(is_temporary(code), "{code}");
        }
        for code in ["28P01", "42P01", "23505", "3D000", "", "2"] {
            assert!(!is_temporary(code), "{code}");
        }
        let lost = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert!(Failed::Sql(sqlx::Error::Io(lost)).is_temporary());
        assert!(Failed::TimedOut.is_temporary() && !Failed::TimedOut.keeps_connection());
    }

    #[test]
    fn a_server_that_is_not_reached_is_told_from_a_statement_that_fails() {
        let lost = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let kind = ErrorKind::Journal;
        let error = |failed: Failed| failed.error(kind, "claim", "db.internal:5432", &[]);
        let unreached = error(Failed::Sql(sqlx::Error::Io(lost())).while_connecting());
        assert_eq!(unreached.code(), Some("postgres_unreachable"));
        let told = unreached.to_string();
        assert!(
            told.contains("PostgreSQL at db.internal:5432 cannot be reached: "),
            "{told}"
        );
        let other = error(Failed::Sql(sqlx::Error::Io(lost())));
        assert_eq!(other.code(), Some("postgres"));
        // A wrong setting does not pass.
        let wrong = Failed::Sql(sqlx::Error::Configuration("no".into())).while_connecting();
        assert!(!wrong.is_away() && !wrong.is_temporary());
    }

    #[test]
    fn no_secret_is_told() {
        let secrets = ["s3cret/é".to_owned(), "s3cret%2F".to_owned()];
        let text = "a s3cret/é and s3cret%2F".to_owned();
        assert_eq!(redacted(text, &secrets), "a *** and ***");
        let failed = Failed::Sql(sqlx::Error::Configuration("bad s3cret/é".into()));
        let error = failed.error(ErrorKind::Config, "claim", "localhost:5432", &secrets);
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
    }
}
