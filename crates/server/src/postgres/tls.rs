//! Whether the way to the server is encrypted, and whether it must prove who it is: what libpq calls `sslmode`.

use std::path::PathBuf;
use std::sync::Arc;

use exuvia_core::{Error, ErrorKind, Result};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

/// How much is asked of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Nothing: who can come between is not noticed.
    Nothing,
    /// A certificate that is trusted, whomever it names.
    Issuer,
    /// A trusted certificate that names the server.
    Name,
}

/// What a URL says of it beyond what `tokio-postgres` reads.
#[derive(Clone, Debug)]
pub(super) struct Security {
    /// libpq's word for it, for the programs.
    pub(super) mode: String,
    proof: Proof,
    /// The file with the certificates that are trusted; else those that the system trusts.
    root: Option<PathBuf>,
}

/// Where systems keep the certificates that they trust, for programs that take a file.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

impl Security {
    /// Takes `sslmode` and `sslrootcert` out of a URL, or a list of `name=value`, and answers with the rest of it.
    pub(super) fn take(url: &str) -> Result<(String, Self)> {
        let (mut mode, mut root) = (None, None);
        let mut take = |pair: &str| match pair.split_once('=') {
            Some(("sslmode", value)) => mode.replace(value.to_owned()).is_none(),
            Some(("sslrootcert", value)) => root.replace(value.to_owned()).is_none(),
            _ => false,
        };
        let rest = match url.split_once('?').filter(|_| url.contains("://")) {
            Some((place, query)) => {
                let kept: Vec<_> = query.split('&').filter(|pair| !take(pair)).collect();
                if kept.is_empty() { place.to_owned() } else { format!("{place}?{}", kept.join("&")) }
            }
            None if url.contains("://") => url.to_owned(),
            None => url.split(' ').filter(|pair| !take(pair)).collect::<Vec<_>>().join(" "),
        };
        let mode = mode.unwrap_or_else(|| "prefer".to_owned());
        let root = root.filter(|root| root != "system").map(|root| PathBuf::from(root.replace("%2F", "/")));
        let proof = match (&*mode, &root) {
            ("disable" | "allow" | "prefer", _) | ("require", None) => Proof::Nothing,
            ("require", Some(_)) | ("verify-ca", _) => Proof::Issuer,
            ("verify-full", _) => Proof::Name,
            _ => {
                let message =
                    "expected sslmode to be disable, prefer, require, verify-ca or verify-full, found another";
                return Err(Error::new(ErrorKind::Store, message));
            }
        };
        Ok((rest, Self { mode, proof, root }))
    }

    /// The same for `tokio-postgres`.
    pub(super) fn ssl_mode(&self) -> tokio_postgres::config::SslMode {
        use tokio_postgres::config::SslMode;
        match &*self.mode {
            "disable" => SslMode::Disable,
            "allow" | "prefer" => SslMode::Prefer,
            _ => SslMode::Require,
        }
    }

    /// The file with the certificates that are trusted, for programs that must have one.
    pub(super) fn bundle(&self) -> Option<PathBuf> {
        let systems = || {
            let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
            named.into_iter().chain(BUNDLES.map(PathBuf::from)).find(|file| file.exists())
        };
        match self.proof {
            Proof::Nothing => None,
            _ => self.root.clone().or_else(systems),
        }
    }

    pub(super) fn connector(&self) -> Result<MakeRustlsConnect> {
        let provider = Arc::new(ring::default_provider());
        let inner = match self.proof {
            Proof::Nothing => None,
            _ => Some(
                WebPkiServerVerifier::builder_with_provider(Arc::new(self.roots()?), Arc::clone(&provider))
                    .build()
                    .map_err(|error| untrusted(&error.to_string()))?,
            ),
        };
        let check = Arc::new(Check { proof: self.proof, inner, provider: Arc::clone(&provider) });
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| untrusted(&error.to_string()))?
            .dangerous()
            .with_custom_certificate_verifier(check)
            .with_no_client_auth();
        Ok(MakeRustlsConnect::new(config))
    }

    fn roots(&self) -> Result<RootCertStore> {
        let found = match &self.root {
            Some(file) => CertificateDer::pem_file_iter(file)
                .and_then(Iterator::collect)
                .map_err(|error| untrusted(&format!("{}: {error}", file.display())))?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        let mut roots = RootCertStore::empty();
        let (taken, _) = roots.add_parsable_certificates(found);
        match taken {
            0 => Err(untrusted("none")),
            _ => Ok(roots),
        }
    }
}

fn untrusted(found: &str) -> Error {
    let message =
        format!("expected certificates to trust the server by, found {found}; name their file with sslrootcert");
    Error::new(ErrorKind::Store, message)
}

/// Holds a server's certificate against what is asked of it.
#[derive(Debug)]
struct Check {
    proof: Proof,
    inner: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Check {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(inner) = &self.inner else { return Ok(ServerCertVerified::assertion()) };
        match inner.verify_server_cert(certificate, intermediates, name, stapled, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.proof == Proof::Issuer => Ok(ServerCertVerified::assertion()),
            checked => checked,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_says_of_certificates_is_taken_out_of_it() {
        let taken = |url: &str| {
            let (rest, security) = Security::take(url).unwrap();
            (rest, security.mode, security.proof, security.root)
        };
        let url = "postgresql://a:b@c/d?sslmode=verify-full&connect_timeout=3&sslrootcert=/ca.pem";
        let root = Some(PathBuf::from("/ca.pem"));
        let rest = "postgresql://a:b@c/d?connect_timeout=3".to_owned();
        assert_eq!(taken(url), (rest, "verify-full".to_owned(), Proof::Name, root.clone()));
        let url = "host=c password='a  b' sslmode=require sslrootcert=/ca.pem";
        assert_eq!(taken(url), ("host=c password='a  b'".to_owned(), "require".to_owned(), Proof::Issuer, root));
        assert_eq!(taken("host=c").1, "prefer");
        assert!(Security::take("host=c sslmode=secret").is_err_and(|error| !error.message().contains("secret")));
    }
}
