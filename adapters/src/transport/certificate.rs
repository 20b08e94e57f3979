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
                "{error}; the server wants a certificate of this client that it trusts: set it by \
                 `client_certificate`"
            );
        }
        _ => return error.to_string(),
    };
    let advice = match cause {
        CertificateError::UnknownIssuer => {
            format!(
                "an authority of your own, or a certificate that signs itself, is trusted by {trust}"
            )
        }
        CertificateError::BadSignature => format!(
            "a trusted authority has the name of its issuer and another key: if the certificate \
             was made anew, the new one must be trusted by {trust}"
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate must have this name, or this address, among its subjectAltNames: \
             a common name (CN) does not count"
                .to_owned()
        }
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => {
            "the server needs a certificate of today, or this machine's clock is wrong".to_owned()
        }
        cause if is_authority(cause) => format!(
            "the server shows the certificate of an authority (CA:TRUE) as its own: make one with \
             basicConstraints=CA:FALSE for it, which is trusted by {trust}"
        ),
        CertificateError::Other(cause) => {
            return format!("the server's certificate is not accepted: {cause}");
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
