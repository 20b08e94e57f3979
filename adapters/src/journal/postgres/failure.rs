//! Failures of the database: which pass, and what is told about them.

use chatcore::{Error, ErrorKind};

/// Why a statement failed.
#[derive(Debug)]
pub(super) enum Failed {
    /// It did not end in time. Whether it was carried out is unknown.
    TimedOut,
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
            Self::TimedOut => true,
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
            // Not the place in the server's source code, which sqlx adds.
            Self::Sql(sqlx::Error::Database(error)) => error.message().to_owned(),
            Self::Sql(error) => error.to_string(),
        }
    }

    fn advice(&self) -> &'static str {
        let code = match self {
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

    /// The error that a caller sees. `secrets` are removed from its text.
    pub(super) fn into_error(self, what: &str, kind: ErrorKind, secrets: &[String]) -> Error {
        let why = format!(
            "PostgreSQL could not {what}: {}; {}",
            self.text(),
            self.advice()
        );
        Error::new(kind, redacted(why, secrets)).with_code(Some("postgres".to_owned()))
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
    fn no_secret_is_told() {
        let secrets = ["s3cret/é".to_owned(), "s3cret%2F".to_owned()];
        let text = "a s3cret/é and s3cret%2F".to_owned();
        assert_eq!(redacted(text, &secrets), "a *** and ***");
        let failed = Failed::Sql(sqlx::Error::Configuration("bad s3cret/é".into()));
        let error = failed.into_error("be reached", ErrorKind::Config, &secrets);
        assert!(!format!("{error} {error:?}").contains("s3cret"), "{error}");
    }
}
