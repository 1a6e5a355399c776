//! Certificate authorities of our own.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// An authority, whose certificate another one or itself has signed.
pub type Authority = CertifiedIssuer<'static, KeyPair>;

pub fn authority_parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::new([]).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

pub fn root(name: &str) -> Authority {
    let key = KeyPair::generate().unwrap();
    CertifiedIssuer::self_signed(authority_parameters(name), key).unwrap()
}

/// For a server's certificate.
pub fn server_parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
    parameters
        .distinguished_name
        .push(DnType::CommonName, "Tickets");
    parameters
}
