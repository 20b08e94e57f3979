//! Advice for certificates that are not trusted, the server's or the client's.

#[cfg(feature = "http1")]
use futures_rustls::rustls;
use rustls::{AlertDescription, CertificateError, Error};

/// A sentence that says why a handshake failed, with advice if the certificate is the cause.
/// `trust` names the settings that make a certificate trusted.
pub(super) fn explain(error: &Error, trust: &str) -> String {
    let cause = match error {
        Error::InvalidCertificate(cause) => cause,
        Error::AlertReceived(alert) if is_about_the_client(*alert) => {
            return format!(
                "{error}; the server requires a client certificate that it trusts: set one with \
                 `client_certificate`"
            );
        }
        _ => return error.to_string(),
    };
    let advice = match cause {
        CertificateError::UnknownIssuer => {
            format!("to trust a private authority or a self-signed certificate, add it to {trust}")
        }
        CertificateError::BadSignature => format!(
            "a trusted authority has the name of its issuer but another key: if the authority's \
             certificate was renewed, add the new one to {trust}"
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate must list this name or address among its subjectAltNames, because a \
             common name (CN) does not count"
                .to_owned()
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            "renew the server's certificate, or correct this machine's clock".to_owned()
        }
        cause if is_authority(cause) => format!(
            "the server uses the certificate of an authority (CA:TRUE) as its own: create one with \
             basicConstraints=CA:FALSE for it, and add that to {trust}"
        ),
        CertificateError::Other(cause) => {
            return format!("the server's certificate was rejected: {cause}");
        }
        _ => return error.to_string(),
    };
    format!("{error}; {advice}")
}

/// Whether `alert` means that the server refuses this client's certificate, or that it requires
/// one.
fn is_about_the_client(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

/// Whether the server presented a CA certificate (CA:TRUE) as its own. `openssl req -x509` makes
/// such certificates by default.
pub(super) fn is_authority(cause: &CertificateError) -> bool {
    // rustls does not export the type of this cause, so its text is compared.
    matches!(cause, CertificateError::Other(cause) if cause.to_string() == "CaUsedAsEndEntity")
}
