//! Encrypted ways to a server that has a certificate for `localhost`.

use std::sync::Arc;

use exuvia_core::ErrorKind;
use exuvia_core::chain::Version;
use exuvia_server::database::Database;
use exuvia_server::postgres::Postgres;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::place::{Place, Start, block_on, chain, fill};
use crate::postgres::Hosted;
use crate::server::Server;

/// Lets nobody in whose connection is not encrypted, and answers with the file of who signed its certificate.
fn encrypt(place: &Hosted) -> String {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(DnType::CommonName, "an authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let server = &place.server;
    let certificate = server.write("server.crt", &certificate.pem()).unwrap();
    let key = server.write("server.key", &key.serialize_pem()).unwrap();
    let trusted = place.folder().join("ca.crt");
    std::fs::write(&trusted, authority.pem()).unwrap();
    let file = &place.query("SHOW hba_file")[0];
    for sql in [
        format!("ALTER SYSTEM SET ssl_cert_file = '{}'", certificate.display()),
        format!("ALTER SYSTEM SET ssl_key_file = '{}'", key.display()),
        "ALTER SYSTEM SET ssl = on".to_owned(),
        "CREATE ROLE encrypted LOGIN SUPERUSER".to_owned(),
        format!(
            "COPY (VALUES ('hostnossl all encrypted all reject'), ('host all all all trust')) TO '{file}';
             SELECT pg_reload_conf()"
        ),
    ] {
        place.execute(&sql);
    }
    trusted.display().to_string()
}

#[test]
fn an_encrypted_server_is_entered_and_must_prove_who_it_is_where_that_is_asked() {
    block_on(async {
        let place = Hosted::on(Arc::new(Server::start().unwrap()));
        let trusted = encrypt(&place);
        let by_name = place.address().replace("exuvia@127.0.0.1", "encrypted@localhost");
        let by_address = place.address().replace("exuvia@", "encrypted@");
        // The server reads its files again in its own time.
        for _ in 0..100 {
            if Postgres::connect(&format!("{by_name}?sslmode=require")).await.is_ok() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let enter = async |url: &str, query: String| Postgres::connect(&format!("{url}?{query}")).await.map(drop);
        enter(&by_name, "sslmode=require".to_owned()).await.unwrap();
        enter(&by_address, format!("sslmode=verify-ca&sslrootcert={trusted}")).await.unwrap();
        enter(&by_name, format!("sslmode=verify-full&sslrootcert={trusted}")).await.unwrap();
        for (url, query) in [
            (&by_address, format!("sslmode=verify-full&sslrootcert={trusted}")),
            (&by_name, "sslmode=verify-full".to_owned()),
            (&by_name, "sslmode=disable".to_owned()),
        ] {
            let error = enter(url, query.clone()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Store, "{query}: {error}");
        }
        // The server's own programs go the same way.
        let hosted = Postgres::connect(&format!("{by_name}?sslmode=verify-full&sslrootcert={trusted}")).await.unwrap();
        assert!(hosted.schema().await.unwrap().contains("chats"));
        fill(&place, 10);
        assert_eq!(Start::new(&place, &chain(2)).up().await.unwrap().version, Version(2));
    });
}
