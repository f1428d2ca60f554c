//! Additional trusted certificates: those of a company's own authority, or of a proxy that inspects TLS.
//!
//! The file is read and verified together with the configuration, so that a problem is reported with the file's path and not as a
//! failed connection.

use std::fmt;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

use crate::files;

/// Certificates that are trusted in addition to the system's.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ExtraRoots {
    /// The file they come from; `None` if there are none.
    pub path: Option<PathBuf>,
    /// Each in DER, verified to be a certificate.
    pub certificates: Vec<CertificateDer<'static>>,
}

impl fmt::Debug for ExtraRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtraRoots({} of {:?})", self.certificates.len(), self.path)
    }
}

/// Why a file can't be used for certificates.
#[derive(Debug, thiserror::Error)]
#[error("couldn't use the CA file {path}: {what}", path = .path.display())]
pub struct CaFileFault {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, and what was expected.
    pub what: String,
}

impl ExtraRoots {
    /// Reads a PEM file with one or several certificates.
    ///
    /// # Errors
    ///
    /// A file that can't be read, has no certificate, or has an invalid one.
    pub fn read(path: &Path) -> Result<Self, CaFileFault> {
        let fault = |what: String| CaFileFault { path: path.to_owned(), what };
        let bytes = files::read_bytes(path).map_err(|error| fault(files::reason(&error)))?;
        let mut certificates = Vec::new();
        for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(&bytes)) {
            let certificate = certificate.map_err(|error| fault(broken_pem(number, &error)))?;
            // The same check as when the connection is made, but here the file's name is known.
            RootCertStore::empty()
                .add(certificate.clone())
                .map_err(|error| fault(format!("certificate {number} is invalid: {error}")))?;
            certificates.push(certificate);
        }
        if certificates.is_empty() {
            return Err(fault(nothing_found(&bytes)));
        }
        Ok(Self { path: Some(path.to_owned()), certificates })
    }
}

fn broken_pem(number: usize, error: &pem::Error) -> String {
    let what = match error {
        pem::Error::MissingSectionEnd { .. } => "its -----END CERTIFICATE----- line is missing".to_owned(),
        pem::Error::Base64Decode(_) => "its base64 text is damaged".to_owned(),
        other => other.to_string(),
    };
    format!("certificate {number} is damaged: {what}")
}

/// What the file holds instead of a certificate, as far as it can be recognised.
fn nothing_found(bytes: &[u8]) -> String {
    const SEQUENCE: u8 = 0x30;
    let text = String::from_utf8_lossy(bytes);
    let found = if bytes.is_empty() {
        "it is empty"
    } else if text.contains("PRIVATE KEY-----") {
        "it holds a private key, not a certificate"
    } else if bytes.first() == Some(&SEQUENCE) {
        return "it is in DER; convert it with `openssl x509 -inform der -in FILE -out FILE.pem`".to_owned();
    } else {
        "it holds no certificate"
    };
    format!("{found}; a PEM file is expected, with -----BEGIN CERTIFICATE----- lines")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A certificate authority for tests that has signed nothing, valid until 2126.
    const ROOT: &str = include_str!("roots/test-ca.pem");

    fn read(bytes: &[u8]) -> Result<ExtraRoots, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        fs::write(&path, bytes).unwrap();
        let read = ExtraRoots::read(&path);
        read.map_err(|fault| fault.to_string().replace(&path.display().to_string(), "ca.pem"))
    }

    #[test]
    fn a_bundle_with_other_text_gives_all_its_certificates() {
        let bundle = format!("# Ours\r\n{}\nanother\n{ROOT}", ROOT.replace('\n', "\r\n"));
        assert_eq!(read(bundle.as_bytes()).unwrap().certificates.len(), 2);
    }

    #[test]
    fn an_unusable_file_is_refused_with_the_reason() {
        let der = CertificateDer::from_pem_slice(ROOT.as_bytes()).unwrap();
        let half = &ROOT[..ROOT.len() / 2];
        let damaged = ROOT.replacen("MII", "M!!", 1);
        let other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for (bytes, expected) in [
            (b"".as_slice(), "couldn't use the CA file ca.pem: it is empty; a PEM file is expected"),
            (b"hello", "it holds no certificate; a PEM file is expected"),
            (key.as_bytes(), "it holds a private key, not a certificate"),
            (&der, "it is in DER; convert it with `openssl x509 -inform der"),
            (half.as_bytes(), "certificate 1 is damaged: its -----END CERTIFICATE----- line is missing"),
            (damaged.as_bytes(), "certificate 1 is damaged: its base64 text is damaged"),
            (format!("{ROOT}{other}").as_bytes(), "certificate 2 is invalid: "),
        ] {
            let fault = read(bytes).unwrap_err();
            assert!(fault.contains(expected), "{fault}");
        }
        let missing = ExtraRoots::read(Path::new("/nonexistent/ca.pem")).unwrap_err().to_string();
        assert!(missing.starts_with("couldn't use the CA file /nonexistent/ca.pem: "), "{missing}");
    }
}
