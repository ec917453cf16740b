//! What is taken out of answers before they are kept: byte for byte, against broken and hostile bodies, and through whole runs.
#![cfg(test)]

use std::fs;
use std::time::Instant;

use bytes::Bytes;
use chrono::TimeDelta;
use proofline::catalog::SourceFile;
use proofline::catalog::settings::{STARTER, settings};
use proofline::cli::exit::Exit;
use proofline::collect::redact::{Key, Policy, Redactor, Refusal};
use proofline::model::redaction::shipped;
use proofline::model::{RedactionAction, RedactionRule, RedactionTarget};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::cli::{Bench, contains, finding};
use crate::sandbox::behaviour::{Action, Behaviour, Fault};
use crate::sandbox::site::Site;

fn key(octet: u8) -> Key {
    Key::new("2026", vec![octet; 32].into()).expect("long enough")
}

fn own(operation: &str, target: RedactionTarget, action: RedactionAction) -> RedactionRule {
    RedactionRule { name: "own".to_owned(), operation: operation.to_owned(), target, action }
}

fn pointers(pointers: &[&str]) -> RedactionTarget {
    RedactionTarget::Pointers(pointers.iter().map(|pointer| pointer.parse().expect("a pointer")).collect())
}

fn pattern(pattern: &str) -> RedactionTarget {
    RedactionTarget::Pattern(pattern.to_owned())
}

fn redactor(rules: Vec<RedactionRule>, key: Option<Key>) -> Redactor {
    Redactor::new(Policy::new(&[rules, shipped()].concat()).expect("a policy"), key)
}

fn plain() -> Redactor {
    redactor(Vec::new(), None)
}

fn cleaned(redactor: &Redactor, body: &[u8]) -> (Vec<u8>, Vec<String>) {
    let clean = redactor.clean("orgs/get", Bytes::copy_from_slice(body)).expect("kept");
    (clean.body.to_vec(), clean.redacted)
}

/// As text, with the places in one line.
fn shown(redactor: &Redactor, body: &[u8]) -> (String, String) {
    let (body, places) = cleaned(redactor, body);
    (String::from_utf8_lossy(&body).into_owned(), places.join(" "))
}

/// Put together here, so that no file holds anything that looks like one.
pub(crate) fn tokens() -> Vec<String> {
    let letters = "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zAbCdEfGhIjKlMnOpQrStUvWxYz0123456789";
    let of = |length: usize| letters.get(..length).expect("enough");
    vec![
        format!("ghp{}{}", "_", of(36)),
        format!("ghs{}{}", "_", of(40)),
        format!("github{}{}_{}", "_pat_", of(22), of(59)),
        format!("AI{}{}", "za", of(35)),
        format!("ya{}{}", "29.", of(60)),
        format!("xox{}{}", "b-1234567890-1234567890-", of(24)),
        format!("AK{}{}", "IA", "ABCDEFGH234567QR"),
        format!("-----BEGIN RSA {} KEY-----\n{}", "PRIVATE", of(60)),
    ]
}

#[test]
fn only_the_spans_change() {
    for (body, expected, places) in [
        (r#"{ "email" : "a@b.example" , "n": 12345678901234567890.10 }"#, r#"{ "email" : "[removed]" , "n": 12345678901234567890.10 }"#, "/email"),
        (r#"[{"a":{"work_email":"a@b.example"}},{"email":"c@d"}]"#, r#"[{"a":{"work_email":"[removed]"}},{"email":"[removed]"}]"#, "/*/a/work_email /*/email"),
        (r#"{"emails":["a@b","c@d"],"publicEmail":"x"}"#, r#"{"emails":["[removed]","[removed]"],"publicEmail":"[removed]"}"#, "/emails/* /publicEmail"),
        (r#"{"config":{"url":"u","secret":"hush"}}"#, r#"{"config":{"url":"u","secret":"[removed]"}}"#, "/config/secret"),
        (r#"{"email":null,"private_gists":3,"email":"","private_key":true}"#, r#"{"email":null,"private_gists":3,"email":"","private_key":true}"#, ""),
        (r#"{"email":"ci@p.iam.gserviceaccount.com"}"#, r#"{"email":"ci@p.iam.gserviceaccount.com"}"#, ""),
        (r#"{"email":"a@b.example,ci@p.iam.gserviceaccount.com"}"#, r#"{"email":"[removed]"}"#, "/email"),
        (r#"{"members":["user:alice@acme.example"]}"#, r#"{"members":["user:alice@acme.example"]}"#, ""),
        (r#"{"em\u0061il":"a@b"}"#, r#"{"em\u0061il":"[removed]"}"#, "/email"),
        (r#"{"email":"a@b","email":"c@d"}"#, r#"{"email":"[removed]","email":"[removed]"}"#, "/email"),
        (r#"{"alice@acme.example":{"email":"a@b"}}"#, r#"{"alice@acme.example":{"email":"[removed]"}}"#, "/*/email"),
        (r#"{"temp_clone_token":"x1","nextPageToken":"x2"}"#, r#"{"temp_clone_token":"[removed]","nextPageToken":"x2"}"#, "/temp_clone_token"),
        (r#"{"email":"a\"b\\","x":1}"#, r#"{"email":"[removed]","x":1}"#, "/email"),
    ] {
        assert_eq!(shown(&plain(), body.as_bytes()), (expected.to_owned(), places.to_owned()), "{body}");
    }
}

#[test]
fn of_a_credential_neither_its_end_nor_its_fingerprint_is_kept() {
    let body = json!([{ "credential_id": 41, "login": "ada", "token_last_eight": "last8of1" }, { "credential_id": 43, "login": "bo", "fingerprint": "aa:bb" }]);
    let clean = plain().clean("orgs/list-saml-sso-authorizations", Bytes::from(body.to_string())).expect("kept");
    let kept: Value = serde_json::from_slice(&clean.body).expect("JSON");
    let expected =
        json!([{ "credential_id": 41, "login": "ada", "token_last_eight": "[removed]" }, { "credential_id": 43, "login": "bo", "fingerprint": "[removed]" }]);
    assert_eq!(kept, expected);
    assert_eq!(clean.redacted, ["/*/fingerprint", "/*/token_last_eight"]);
}

/// Places are objects and tokens have numbers: whole values go. Names of accounts stay, since verdicts rest on them.
#[test]
fn an_entry_of_an_audit_log_tells_who_and_not_from_where() {
    let entry = json!([{
        "action": "org.add_member", "actor": "ada", "user": "bo", "org": "acme", "_document_id": "e1", "created_at": 1_767_222_000_000_i64,
        "actor_ip": "192.0.2.7", "actor_location": { "country_name": "Nowhere", "location": { "lat": 1.5 } }, "user_agent": "Mozilla/5.0",
        "hashed_token": "0f1e", "token_id": 4711, "external_identity_nameid": "ada@acme.example", "external_identity_username": "ada.l",
        "fingerprint": "aa:bb", "deploy_key_fingerprint": "cc:dd", "openssh_public_key": "ssh-ed25519 x", "invitee_email": "bo@acme.example",
        "data": { "actor_ip": "192.0.2.8", "token_id": 4712 }, "config": [{ "url": "https://hooks.example/key-of-a-hook" }], "config_was": [{ "url": "key-of-a-hook" }],
    }]);
    let body = Bytes::from(entry.to_string());
    for operation in ["orgs/get-audit-log", "enterprise-admin/get-audit-log"] {
        let clean = plain().clean(operation, body.clone()).expect("kept");
        let text = String::from_utf8(clean.body.to_vec()).expect("text");
        for gone in ["192.0.2", "Nowhere", "1.5", "Mozilla", "0f1e", "471", "acme.example", "ada.l", "aa:bb", "cc:dd", "ssh-ed25519", "key-of-a-hook"] {
            assert!(!text.contains(gone), "{gone} in {text}");
        }
        let kept: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!((&kept[0]["actor"], &kept[0]["user"], &kept[0]["created_at"]), (&json!("ada"), &json!("bo"), &json!(1_767_222_000_000_i64)));
        assert_eq!(kept[0]["actor_location"], "[removed]");
    }
    assert!(plain().clean("orgs/get", body).expect("kept").body.as_ref().windows(5).any(|part| part == b"192.0"), "elsewhere such members are other things");
}

#[test]
fn what_is_broken_is_redacted_and_stays_broken() {
    for (body, expected) in [
        (&br#"{"email":"ali"#[..], &br#"{"email":[removed]"#[..]),
        (br#"{"email":"alice@acme.example"},"#, br#"{"email":"[removed]"},"#),
        (br#"{"a":[{"email":"a@b"#, br#"{"a":[{"email":[removed]"#),
        (b"{\"email\":\"a\xff@b\"}", b"{\"email\":[removed]}"),
        (b"{\"email\":\"a\nb\"}", b"{\"email\":[removed]}"),
        (br#"{"email":"\x"}"#, br#"{"email":[removed]}"#),
        (br#"{"email":"\ud800"}"#, br#"{"email":"[removed]"}"#),
        (br#")]}',{"email":"a@b"}"#, br#")]}',{"email":"[removed]"}"#),
        (br#"]]}}{"email":"a@b"}"#, br#"]]}}{"email":"[removed]"}"#),
        (br#"["email":"a@b"]"#, br#"["email":"[removed]"]"#),
        (b"\xef\xbb\xbf{\"email\":\"a@b\"}", b"\xef\xbb\xbf{\"email\":\"[removed]\"}"),
        (br#"{"email":"#, br#"{"email":"#),
        (br#"{"email":"\"#, br#"{"email":[removed]"#),
    ] {
        let (found, _) = cleaned(&plain(), body);
        assert_eq!(found, expected, "{} became {}", String::from_utf8_lossy(body), String::from_utf8_lossy(&found));
        assert_eq!(is_json(body), is_json(&found), "{}", String::from_utf8_lossy(body));
    }
}

/// Metadata and environments hold scripts and passwords beside switches.
#[test]
fn of_metadata_and_environments_only_switches_are_kept() {
    let body = br#"{"resource":{"data":{"metadata":{"items":[{"key":"startup-script","value":"x=1"},{"key":"enable-oslogin","value":"TRUE"},{"key":"n","value":"11"}]},
        "nodePools":[{"config":{"metadata":{"disable-legacy-endpoints":"true","a":"b"}}}],"masterAuth":{"username":"admin","password":"b","clientKey":"c"},"template":{"containers":[{"env":[{"name":"A","value":"true"}]}]},
        "serviceConfig":{"environmentVariables":{"B":"c"}}}}}"#;
    let kept = r#"{"resource":{"data":{"metadata":{"items":[{"key":"startup-script","value":"[removed]"},{"key":"enable-oslogin","value":"TRUE"},{"key":"n","value":"[removed]"}]},
        "nodePools":[{"config":{"metadata":{"disable-legacy-endpoints":"true","a":"[removed]"}}}],"masterAuth":{"username":"admin","password":"[removed]","clientKey":"[removed]"},"template":{"containers":[{"env":[{"name":"A","value":"[removed]"}]}]},
        "serviceConfig":{"environmentVariables":{"B":"[removed]"}}}}}"#;
    assert_eq!(shown(&plain(), body).0, kept);
}

/// Neither the inventory nor the services should show these; where one does, it is not kept.
#[test]
fn of_databases_disks_and_subscriptions_no_password_key_or_address_is_kept() {
    let body = br#"{"rootPassword":"a","passwordValidationPolicy":{"minLength":8},"replicaConfiguration":{"mysqlReplicaConfiguration":{"clientKey":"b","password":"c"}},
        "diskEncryptionKey":{"rawKey":"d","rsaEncryptedKey":"e","sha256":"f","kmsKeyName":"g"},"pushConfig":{"pushEndpoint":"https://x.example/?key=h","oidcToken":{"audience":"i"}}}"#;
    let kept = r#"{"rootPassword":"[removed]","passwordValidationPolicy":{"minLength":8},"replicaConfiguration":{"mysqlReplicaConfiguration":{"clientKey":"[removed]","password":"[removed]"}},
        "diskEncryptionKey":{"rawKey":"[removed]","rsaEncryptedKey":"[removed]","sha256":"f","kmsKeyName":"g"},"pushConfig":{"pushEndpoint":"[removed]","oidcToken":{"audience":"i"}}}"#;
    assert_eq!(shown(&plain(), body).0, kept);
}

/// What channels for alerts, uptime checks and API keys hold of addresses and credentials.
#[test]
fn of_monitoring_and_api_keys_nothing_that_lets_in_is_kept() {
    let body = br##"{"httpCheck":{"path":"/a","headers":{"Authorization":"b"},"body":"c","authInfo":{"username":"d","password":"e"}},"keyString":"f",
        "labels":{"auth_token":"g","service_key":"h","url":"https://x.example/i","number":"+49 1","email_address":"j@x.example","channel_name":"#alerts"}}"##;
    let kept = r##"{"httpCheck":{"path":"/a","headers":{"Authorization":"[removed]"},"body":"[removed]","authInfo":{"username":"d","password":"[removed]"}},"keyString":"[removed]",
        "labels":{"auth_token":"[removed]","service_key":"[removed]","url":"[removed]","number":"[removed]","email_address":"[removed]","channel_name":"#alerts"}}"##;
    assert_eq!(shown(&plain(), body).0, kept);
}

fn is_json(body: &[u8]) -> bool {
    std::str::from_utf8(body).is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
}

#[test]
fn what_would_cost_too_much_is_refused() {
    let deep = |levels: usize| [vec![b'['; levels], br#"{"email":"a@b"}"#.to_vec(), vec![b']'; levels]].concat();
    let (kept, _) = cleaned(&plain(), &deep(300));
    assert!(!contains(&kept, "a@b"), "deeper than any reader goes");
    assert_eq!(plain().clean("orgs/get", deep(1_000_000).into()), Err(Refusal::TooDeep));
    let many = format!("{{\"emails\":[{}\"a\"]}}", "\"a\",".repeat(1_000_001));
    assert_eq!(plain().clean("orgs/get", many.into()), Err(Refusal::TooMany));
}

#[test]
fn rules_of_ones_own_come_first_and_only_where_they_are_meant() {
    let phone = redactor(vec![own("orgs/*", pattern(r"\+49[0-9 ]{6,}"), RedactionAction::Remove)], None);
    let body = r#"{"a":"call +49 30 123456 or not","b":"\u002b4930123456\n","+4930123456":1,"n":[+4930123456]}"#;
    let (found, places) = shown(&phone, body.as_bytes());
    assert_eq!(found, r#"{"a":"call [removed]or not","b":"[removed]\n","[removed]":1,"n":[[removed]]}"#);
    assert_eq!(places, " /* /a /b /n/*");
    let elsewhere = phone.clean("repos/get", Bytes::from(body)).expect("kept");
    assert_eq!(elsewhere.body, body);

    let whole = redactor(vec![own("*", pointers(&["/*/id", "/*/plan"]), RedactionAction::Remove)], None);
    let (found, places) = shown(&whole, br#"[{"id":9007199254740993,"plan":{"email":"a@b","seats":1}},{"id":null}]"#);
    assert_eq!((found.as_str(), places.as_str()), (r#"[{"id":"[removed]","plan":"[removed]"},{"id":null}]"#, "/*/id /*/plan /*/plan/email"));

    let text = redactor(vec![own("*", pattern("alice"), RedactionAction::Remove)], None);
    assert_eq!(shown(&text, b"<html>alice says \"alice\xff\"</html>").0, "<html>[removed] says \"[removed]\u{fffd}\"</html>");
}

#[test]
fn pseudonyms_join_within_an_epoch_and_not_beyond() {
    let rule = || vec![own("*", pointers(&["/**/email"]), RedactionAction::Pseudonym)];
    let body = r#"[{"email":"a@b"},{"email":"\u0061@b"},{"email":"c@d"}]"#;
    let names = |redactor: &Redactor| -> Vec<String> {
        let found: Value = serde_json::from_slice(&cleaned(redactor, body.as_bytes()).0).expect("JSON");
        found.as_array().expect("a list").iter().map(|item| item["email"].as_str().expect("a text").to_owned()).collect()
    };
    let first = names(&redactor(rule(), Some(key(1))));
    assert!(first[0] == first[1] && first[0] != first[2], "{first:?}");
    assert!(first[0].len() == 34 && first[0].starts_with("p_"), "{first:?}");
    assert_ne!(first[0], names(&redactor(rule(), Some(key(2))))[0], "another key, another name");
    assert_eq!(names(&redactor(rule(), None)), ["[removed]"; 3], "without a key nothing can be told apart");
    assert!(Key::new("2026", vec![0; 31].into()).is_err());
    assert!(!format!("{:?}", redactor(rule(), Some(key(77)))).contains("77, 77"), "the key is in no text");
    // Worked out with `openssl dgst -sha256 -mac HMAC`.
    assert_eq!(first[0], "p_22a318015113bbb6714d0354a1bcda58");
}

#[test]
fn a_body_that_tells_a_credential_is_refused() {
    for token in tokens() {
        let escaped = token.replace('\n', "\\n");
        let hidden = format!("\\u{:04x}{}", token.as_bytes()[0], &escaped[1..]);
        for body in [
            format!(r#"{{"a":"{escaped}"}}"#),
            format!(r#"{{"a":"see\n{escaped}\nthere"}}"#),
            format!(r#"{{"a":"{hidden}"}}"#),
            format!(r#"{{"{escaped}":1}}"#),
            format!(r#"{{"a":"{{\"b\":\"{}\"}}"}}"#, escaped.replace('\\', "\\\\")),
            format!("<html>{token}</html>"),
            format!(r#"{{"a":"{escaped}"#),
        ] {
            let refused = plain().clean("orgs/get", Bytes::from(body.clone()));
            assert_eq!(refused, Err(Refusal::Credential), "{body}");
        }
        let (kept, places) = shown(&plain(), format!(r#"{{"config":{{"secret":"{escaped}"}}}}"#).as_bytes());
        assert_eq!(
            (kept.as_str(), places.as_str()),
            (r#"{"config":{"secret":"[removed]"}}"#, "/config/secret"),
            "what is taken out is no reason to refuse the rest"
        );
    }
    let headers = tokens();
    assert!(plain().is_told_by(&format!("<https://api.example/x?t={}>; rel=\"next\"", headers[0])));
    assert!(plain().is_told_by(&format!("https://api.example/x?t=ghp%5f{}", &headers[0][4..])));
}

#[test]
fn a_file_is_kept_to_the_byte_or_not_at_all() {
    let ticket = own("attachments/*", pattern("TICKET-[0-9]+"), RedactionAction::Remove);
    let redactor = redactor(vec![ticket], Some(key(1)));
    let file = |body: &'static [u8]| redactor.clean_file("attachments/get", Bytes::from_static(body)).map(|clean| (clean.body, clean.redacted.len()));
    // Not JSON: neither quotes nor names in it lead anywhere.
    for odd in [b"\x89PNG\r\n\x1a\n\x00\xff{\"email\": \"ada@acme.example\"".as_slice(), b"\"email\",\"x\"\nada@acme.example,1\n", b"[[[[[[\\u0041", b""] {
        assert_eq!(file(odd), Ok((Bytes::from_static(odd), 0)));
    }
    assert_eq!(file(b"log: TICKET-7 done"), Err(Refusal::Private));
    assert!(file(br#"{"note": "TICKET-7"}"#).is_ok_and(|(body, places)| places == 1 && !body.windows(6).any(|span| span == b"TICKET")));
    let token = Bytes::from(format!("\0 {}", tokens()[0]));
    assert_eq!(redactor.clean_file("attachments/get", token).err(), Some(Refusal::Credential));
}

#[test]
fn talk_about_credentials_is_kept() {
    for body in [
        r#"{"secret_type":"github_personal_access_token","n":"github_pat_"}"#,
        r#"{"body":"set GITHUB_TOKEN to ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#,
        r#"{"body":"ghp_****, AIza…, xoxb-your-token-goes-here, ya29.short, github_pat_11AAAA"}"#,
        r#"{"body":"aws: AKIAIOSFODNN7EXAMPLE and AKIAshortandlower"}"#,
        r#"{"body":"a key begins with -----BEGIN PRIVATE KEY----- and then comes base64"}"#,
        r#"{"body":"-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA"}"#,
        r#"{"node_id":"MDEyOk9yZ2FuaXphdGlvbjE=","cursor":"Y3Vyc29yOnYyOpHOAAAAAQ=="}"#,
        r#"{"path":"docs/ghs_setup_guide.md","sha":"6dcb09b5b57875f334f61aebed695e2e4193db5e"}"#,
    ] {
        assert_eq!(shown(&plain(), body.as_bytes()).0, body);
    }
}

/// Who copies an address from a page copies what lets in whoever has it.
#[test]
fn of_signed_addresses_the_place_is_kept_and_not_what_lets_in() {
    let secret = "5ca1ab1e5ca1ab1e";
    let id = format!("AK{}{}", "IA", "ABCDEFGH234567QR");
    for (before, after) in [
        (
            "https://b.s3.amazonaws.com/a.log?X-Amz-Expires=300&X-Amz-Signature=SECRET",
            "https://b.s3.amazonaws.com/a.log?X-Amz-Expires=300&X-Amz-Signature=[removed]",
        ),
        (
            "(https://b.s3.amazonaws.com/a?X-Amz-Credential=ID%2F20260301%2Fs3&X-Amz-Security-Token=SECRET)",
            "(https://b.s3.amazonaws.com/a?X-Amz-Credential=[removed]&X-Amz-Security-Token=[removed])",
        ),
        (
            "https://b.s3.amazonaws.com/a?AWSAccessKeyId=ID&Expires=1&Signature=SECRET%3D",
            "https://b.s3.amazonaws.com/a?AWSAccessKeyId=[removed]&Expires=1&Signature=[removed]",
        ),
        (
            "<a href='https://storage.googleapis.com/b/a?x=1&amp;X-Goog-Signature=SECRET'>",
            "<a href='https://storage.googleapis.com/b/a?x=1&amp;X-Goog-Signature=[removed]'>",
        ),
        (
            "https://storage.googleapis.com/b/a?x-goog-credential=ci%40p&x-goog-signature=SECRET#top",
            "https://storage.googleapis.com/b/a?x-goog-credential=[removed]&x-goog-signature=[removed]#top",
        ),
        (
            "https://a.blob.core.windows.net/c/b?sv=2024&se=2027-01-01&sig=SECRET%2B%3D and more",
            "https://a.blob.core.windows.net/c/b?sv=2024&se=2027-01-01&sig=[removed] and more",
        ),
        (
            "![i](https://private-user-images.githubusercontent.com/1/2.png?jwt=SECRET.e30.x)",
            "![i](https://private-user-images.githubusercontent.com/1/2.png?jwt=[removed])",
        ),
        ("https://raw.githubusercontent.com/acme/web/main/a?token=SECRET", "https://raw.githubusercontent.com/acme/web/main/a?token=[removed]"),
        ("https://x.example/?pageToken=SECRET&token=short&design=SECRET", "https://x.example/?pageToken=SECRET&token=short&design=SECRET"),
        ("https://x.example/?token=$DEPLOY_TOKEN&token={deploy_token}", "https://x.example/?token=$DEPLOY_TOKEN&token={deploy_token}"),
        ("token=SECRET is no address", "token=SECRET is no address"),
    ] {
        let spelt = |text: &str| text.replace("SECRET", secret).replace("ID", &id).replace("ci%40p", "ci%40p.example");
        let (before, after) = (spelt(before), spelt(after));
        let body = |text: &str| json!({"n": 1, "body": text}).to_string();
        assert_eq!(shown(&plain(), body(&before).as_bytes()).0, body(&after), "{before}");
        // As GitHub's API escapes it, in a member's name, and twice.
        assert_eq!(shown(&plain(), body(&before).replace('&', "\\u0026").as_bytes()).0.replace("\\u0026", "&"), body(&after), "{before}");
        assert_eq!(shown(&plain(), json!({&before: 1}).to_string().as_bytes()).0, json!({&after: 1}).to_string(), "{before}");
        assert_eq!(shown(&plain(), body(&after).as_bytes()), (body(&after), String::new()), "{after}");
        // A file is kept whole or not at all.
        let file = plain().clean_file("attachments/get", Bytes::from(before.clone()));
        assert_eq!(file.is_ok(), before == after, "{before}");
    }
}

#[test]
fn a_body_without_a_match_is_not_copied() {
    let body = Bytes::from_static(br#"{"login":"acme","note":"caf\u00e9","members":["user:alice@acme.example"]}"#);
    let clean = plain().clean("orgs/get", body.clone()).expect("kept");
    assert_eq!(clean.body.as_ptr(), body.as_ptr());
}

/// Any JSON, with odd names and texts, and e-mail addresses of its own kind where the rules look.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[0-9]{6}".prop_map(|number| json!({ "email": format!("\"who-{number}\\\n@acme.example") })),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        let name = prop_oneof![any::<String>(), Just("email".to_owned()), Just("private_note".to_owned()), Just("x".to_owned())];
        prop_oneof![prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from), prop::collection::btree_map(name, inner, 0..6).prop_map(|map| json!(map))]
    })
}

/// The same tree with what the shipped rules name replaced, worked out on values instead of bytes.
fn expected(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(expected).collect(),
        Value::Object(members) => {
            let member = |(name, value): (String, Value)| {
                let meant = (name == "email" || name.starts_with("private_")) && value.as_str().is_some_and(|text| !text.is_empty());
                (name, if meant { "[removed]".into() } else { expected(value) })
            };
            Value::Object(members.into_iter().map(member).collect())
        }
        other => other,
    }
}

proptest! {
    #[test]
    fn any_json_keeps_its_bytes_outside_the_spans(value in any_json(), pretty in any::<bool>()) {
        let text = |value: &Value| if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) }.expect("JSON");
        let (found, _) = cleaned(&plain(), text(&value).as_bytes());
        prop_assert_eq!(String::from_utf8(found.clone()).expect("UTF-8"), text(&expected(value)));
        prop_assert!(!contains(&found, "@acme.example"));
        prop_assert_eq!(cleaned(&plain(), &found).0, found, "twice is once");
    }

    #[test]
    fn any_bytes_go_through(bytes in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(br#""\{}[]:,ue"#.to_vec())], 0..200)) {
        let rule = own("*", pattern("e"), RedactionAction::Remove);
        let (found, places) = cleaned(&plain(), &bytes);
        prop_assert!(places.is_empty() == (found == bytes));
        prop_assert_eq!(is_json(&bytes), is_json(&found));
        let (found, _) = cleaned(&redactor(vec![rule], None), &bytes);
        prop_assert!(!String::from_utf8_lossy(&found).replace("[removed]", "").contains('e') || is_json(&bytes));
    }

    #[test]
    fn a_cut_anywhere_tells_nothing(at in 0_usize..120) {
        let body = br#"{"login":"a","email":"who-123456@acme.example","x":[{"private_note":"who-123456@acme.example"}],"email":"who-123456"}"#;
        let (found, _) = cleaned(&plain(), &body[..at.min(body.len())]);
        prop_assert!(!contains(&found, "who-1"), "{}", String::from_utf8_lossy(&found));
    }
}

fn mistakes(section: &str) -> String {
    let file = SourceFile::new("proofline.toml", format!("[github]\norganizations = [\"acme\"]\n{section}"));
    settings(&file).expect_err("mistakes").to_string()
}

#[test]
fn mistakes_in_the_configuration_are_framed() {
    for (section, place, said) in [
        ("[redaction]\nkeep = [\"emial\"]\n", "4:9", "did you mean `email`?"),
        ("[redaction]\nkey_epoch = \"a b\"\n", "4:13", "name of a key"),
        ("[redaction]\nkeys = 1\n", "4:1", "no key `keys`"),
        ("[[redaction.rule]]\nname = \"a\"\naction = \"remove\"\npattern = \"(\"\n", "6:11", "unclosed group"),
        ("[[redaction.rule]]\nname = \"a\"\naction = \"remove\"\npattern = \"a*\"\n", "6:11", "nothing at all"),
        ("[[redaction.rule]]\nname = \"a\"\naction = \"remove\"\npointers = [\"email\"]\n", "6:13", "begins with a slash"),
        ("[[redaction.rule]]\nname = \"a\"\naction = \"remove\"\npointers = [\"/**\"]\n", "6:13", "everything would be removed"),
        ("[[redaction.rule]]\nname = \"a\"\naction = \"hash\"\npointers = [\"/a\"]\n", "5:10", "pseudonym"),
        ("[[redaction.rule]]\nname = \"email\"\naction = \"remove\"\npointers = [\"/a\"]\n", "4:1", "already a rule"),
        ("[[redaction.rule]]\nname = \"a\"\naction = \"remove\"\n", "3:", "pointers"),
        ("[[redaction.rule]]\nname = \"a\"\naction = \"pseudonym\"\npointers = [\"/a\"]\n", "3:", "key_epoch"),
    ] {
        let found = mistakes(section);
        assert!(found.contains(&format!("proofline.toml:{place}")) && found.contains(said), "{section}\n{found}");
    }
    let file = SourceFile::new("proofline.toml", STARTER.replacen("organizations = []", "organizations = [\"acme\"]", 1));
    assert_eq!(settings(&file).expect("the starter").redaction.rules, shipped());
    let file = SourceFile::new(
        "p",
        STARTER
            .replacen("organizations = []", "organizations = [\"acme\"]", 1)
            .replace("# [redaction]", "[redaction]")
            .replace("# keep = [\"email\"]", "keep = [\"email\"]"),
    );
    assert_eq!(settings(&file).expect("the starter's example").redaction.rules.len(), shipped().len() - 1);
}

const PSEUDONYMS: &str = "[redaction]\nkey_epoch = \"2026\"\n[[redaction.rule]]\nname = \"people\"\npointers = [\"/**/email\"]\naction = \"pseudonym\"\n";

fn site_with(rules: &str) -> (Site, Bench) {
    let site = Site::small();
    let bench = Bench::new(&format!("{}{rules}", site.configuration()));
    (site, bench)
}

/// The organisation as the sandbox answers, with an e-mail address and a note.
fn organization(site: &Site, email: &str, note: &str) {
    let body = json!({ "login": "acme", "id": 1, "email": email, "description": note, "two_factor_requirement_enabled": true, "public_repos": 0, "total_private_repos": 0 });
    site.sandbox().behave(Behaviour::default().with(Fault::always("/github/orgs/acme", Action::Body(200, body.to_string()))));
}

#[test]
fn no_stored_byte_holds_an_address() {
    let (site, mut bench) = site_with("");
    organization(&site, "payroll-office@acme.example", "harmless");
    let (_, document) = bench.json(&["collect"]);
    let written = bench.everything_written();
    assert!(contains(&written, "harmless"), "the answer itself was kept");
    assert!(!contains(&written, "payroll-office@acme.example"));
    assert!(contains(&written, "\"redacted\":[\"/email\"]"));
    assert!(contains(&written, "\"refused\""), "the policy lies beside the evidence");
    assert_ne!(finding(&document, "ORG-01")["status"], "undetermined");
    let run = document["run"].as_str().expect("a run");
    let manifest = fs::read_to_string(bench.folder.path().join(format!("evidence/runs/{run}/manifest.json"))).expect("sealed");
    let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
    assert_eq!(manifest["redaction"]["policy"].as_str().map(str::len), Some(64), "{}", manifest["redaction"]);
    assert_eq!(manifest["redaction"]["key_epoch"], Value::Null);
    assert_ne!(bench.run(&["evaluate", "--run", run]).exit, Exit::Broken, "it is judged from what is stored");
    assert_eq!(bench.run(&["report", "--out", "out"]).exit, Exit::Satisfied);
    let report = |file: &str| fs::read_to_string(bench.folder.path().join("out").join(file)).expect("written");
    assert!(report("evidence.csv").contains(",/email,") && report("index.html").contains("<code><bdi>/email</bdi></code>"), "the reader is told");
}

/// Each entry of the sandbox's log tells from where it was done, with what, and an address of who did it.
#[test]
fn of_a_night_that_reads_the_audit_log_no_address_of_a_person_is_kept() {
    let (_site, mut bench) = site_with("");
    let outcome = bench.run(&["collect", "--control", "CHG-13", "--control", "ORG-14", "--control", "ORG-19", "--control", "ORG-22"]);
    let written = bench.everything_written();
    assert!(contains(&written, "pull_request.merge") && contains(&written, "org.remove_member"), "the answers themselves were kept");
    assert!(contains(&written, "\"actor\":") && contains(&written, "credential_authorized_at"));
    for gone in ["192.0.2.7", "Nowhere", "Mozilla/5.0", "@people.example", "last8of1", "a made up fingerprint"] {
        assert!(!contains(&written, gone), "{gone} was stored");
        assert!(!outcome.out.contains(gone) && !outcome.err.contains(gone), "{gone} was told");
    }
    assert!(contains(&written, "/*/actor_ip"), "what was taken out is written down beside the answer");
}

#[test]
fn a_credential_in_an_answer_is_stored_nowhere_and_nothing_is_judged_from_it() {
    for token in tokens() {
        let (site, mut bench) = site_with("");
        organization(&site, "", &token);
        let outcome = bench.run(&["collect", "--control", "ORG-01"]);
        assert_eq!(outcome.exit, Exit::Undetermined, "{}", outcome.out);
        assert!(outcome.out.contains("looks like a credential"), "{}", outcome.out);
        let part = token.lines().last().expect("a line");
        assert!(!contains(&bench.everything_written(), part) && !outcome.out.contains(part) && !outcome.err.contains(part));
    }
}

/// Secret alerts are asked for without the secrets; should one come all the same, it is taken out before anything is stored.
#[test]
fn the_secret_of_an_alert_is_neither_asked_for_nor_kept() {
    assert!(proofline::collect::github::listings::SECRET_ALERT.path().contains("hide_secret=true"));
    let body = br#"[{"number":1,"secret_type":"made_up","secret":"correct horse battery staple","validity":"active"}]"#;
    let clean = plain().clean("secret-scanning/list-alerts-for-org", Bytes::from_static(body)).expect("kept");
    assert!(!contains(&clean.body, "correct horse") && contains(&clean.body, "made_up"), "{}", String::from_utf8_lossy(&clean.body));
}

const VALUE: &str = "the-value-of-a-variable";

/// GitHub answers the values of variables; of whatever shape and however broken the answer is, none is kept.
#[test]
fn values_of_variables_are_taken_out_of_any_answer() {
    for (body, expected) in [
        (r#"{"variables":[{"name":"A","value":"the-value-of-a-variable"}]}"#, r#"{"variables":[{"name":"A","value":"[removed]"}]}"#),
        (r#"[{"name":"A","value":{"x":["the-value-of-a-variable"]}}]"#, r#"[{"name":"A","value":"[removed]"}]"#),
        (r#"{"value":17,"name":"A"}"#, r#"{"value":"[removed]","name":"A"}"#),
        (r#"{"variables":[{"name":"A","value":"the-value-of-a-var"#, r#"{"variables":[{"name":"A","value":[removed]"#),
        (r#"{"variables":[{"v\u0061lue":"the-value-of-a-variable"}]}"#, r#"{"variables":[{"v\u0061lue":"[removed]"}]}"#),
    ] {
        for operation in ["actions/list-org-variables", "actions/list-repo-variables", "actions/list-environment-variables", "agents/list-org-variables"] {
            let clean = plain().clean(operation, Bytes::copy_from_slice(body.as_bytes())).expect("kept");
            assert_eq!(String::from_utf8_lossy(&clean.body), expected, "{operation} {body}");
        }
    }
    let other = plain().clean("orgs/list-custom-properties", Bytes::from_static(br#"{"value":"kept"}"#)).expect("kept");
    assert!(contains(&other.body, "kept"), "what is no variable stays");
}

#[test]
fn no_value_of_a_variable_reaches_store_report_or_terminal() {
    let (site, mut bench) = site_with("");
    let outcome = bench.run(&["collect", "--control", "ORG-26"]);
    let written = bench.everything_written();
    assert!(contains(&written, "NPM_PASSWORD") && contains(&written, "REGISTRY"), "the answer itself was kept");
    assert!(outcome.out.contains("NPM_PASSWORD"), "{}", outcome.out);
    assert_eq!(outcome.exit, Exit::NotSatisfied, "{}", outcome.err);
    bench.run(&["report", "--out", "out"]);
    let broken = format!(r#"{{"total_count":1,"variables":[{{"name":"A","value":"{VALUE}"#);
    let misshapen = format!(r#"{{"variables":{{"value":"{VALUE}"}}}}"#);
    let mut told = outcome.out + &outcome.err;
    for body in [broken, misshapen] {
        bench.now += TimeDelta::hours(1);
        site.sandbox().behave(Behaviour::default().with(Fault::always("/github/orgs/acme/actions/variables", Action::Body(200, body))));
        let outcome = bench.run(&["collect", "--control", "ORG-26"]);
        assert_eq!(outcome.exit, Exit::Undetermined, "{}", outcome.out);
        told += &(outcome.out + &outcome.err);
    }
    assert!(!contains(&bench.everything_written(), VALUE) && !told.contains(VALUE), "{told}");
    let files = bench.files("out");
    assert!(files.len() > 20, "a report");
    for (path, bytes) in files {
        assert!(!contains(&bytes, VALUE), "{}", path.display());
    }
}

/// An address is kept as far as it says where events go, not what lets somebody in.
#[test]
fn what_a_webhooks_address_holds_of_a_key_is_not_kept() {
    for (address, kept) in [
        ("https://hooks.example/github", "https://hooks.example/github"),
        ("https://ada:hush@hooks.example:8443/a/b", "https://[removed]hooks.example:8443/a/b"),
        ("https://hush@hooks.example/", "https://[removed]hooks.example/"),
        ("http://ci.example/build?token=hush&job=1", "http://ci.example/build[removed]"),
        ("https://chat.example/api/webhooks/1234/abcdefghij-ABCDEFGHIJ_0123/github", "https://chat.example/api/webhooks/123[removed]/github"),
        ("https://a-very-long-name-of-a-machine-inside.example/hook", "https://a-very-long-name-of-a-machine-inside.example/hook"),
    ] {
        for operation in ["orgs/list-webhooks", "repos/list-webhooks"] {
            let body = json!([{ "id": 61, "config": { "url": address, "insecure_ssl": "0" } }]);
            let clean = plain().clean(operation, Bytes::from(body.to_string())).expect("kept");
            let clean: Value = serde_json::from_slice(&clean.body).expect("JSON");
            assert_eq!(clean, json!([{ "id": 61, "config": { "url": kept, "insecure_ssl": "0" } }]), "{operation}");
        }
    }
}

#[test]
fn another_policy_or_key_asks_again() {
    let (site, mut bench) = site_with("");
    let path = bench.folder.path().join("proofline.toml");
    let night = |bench: &mut Bench, rules: &str| {
        fs::write(&path, format!("{}{rules}", site.configuration())).expect("written");
        bench.now += TimeDelta::hours(1);
        let (_, document) = bench.json(&["collect"]);
        document["not_modified"].as_u64().expect("a number")
    };
    assert_eq!(night(&mut bench, ""), 0);
    assert!(night(&mut bench, "") > 0, "the same policy");
    assert_eq!(night(&mut bench, "[redaction]\nkeep = [\"email\"]\n"), 0, "another policy");
    bench.variables.insert("PROOFLINE_PSEUDONYM_KEY".to_owned(), "0123456789abcdef".repeat(2));
    assert_eq!(night(&mut bench, PSEUDONYMS), 0);
    assert!(night(&mut bench, PSEUDONYMS) > 0, "the same key");
    assert_eq!(night(&mut bench, &PSEUDONYMS.replace("2026", "2027")), 0, "another epoch");
}

#[test]
fn an_epoch_has_one_key_and_none_that_was_destroyed() {
    const KEY: &str = "PROOFLINE_PSEUDONYM_KEY";
    let site = Site::small();
    let mut bench = crate::sealed::bench(&site);
    let path = bench.folder.path().join("proofline.toml");
    let in_epoch = |epoch: &str| fs::write(&path, format!("{}{}", site.configuration(), PSEUDONYMS.replace("2026", epoch))).expect("written");
    let [first, second] = ["0123456789abcdef", "fedcba9876543210"].map(|part| part.repeat(2));
    in_epoch("2026");
    bench.set(KEY, &first);
    let told = crate::sealed::collect(&mut bench);
    let manifest = bench.folder.path().join("evidence/runs").join(told["run"].as_str().expect("a run")).join("manifest.json");
    let manifest: Value = serde_json::from_slice(&fs::read(manifest).expect("read")).expect("JSON");
    let check = manifest["redaction"]["key_check"].as_str().expect("a check");
    assert!(check.len() == 16 && !first.contains(check), "{check}");

    bench.set(KEY, &second);
    let answered = site.answered();
    let refused = bench.run(&["collect"]);
    assert_eq!(refused.exit, Exit::Usage, "{}", refused.err);
    assert!(refused.err.contains("had another key under this name") && refused.err.contains(told["run"].as_str().expect("a run")), "{}", refused.err);
    assert!(!refused.err.contains(&first) && !refused.err.contains(&second));
    assert_eq!(site.answered(), answered, "nothing was asked");
    // The old name with its key, and the new key with a name of its own.
    bench.set(KEY, &first);
    crate::sealed::collect(&mut bench);
    in_epoch("2027");
    bench.set(KEY, &second);
    crate::sealed::collect(&mut bench);
    // Whoever says that a key is destroyed does not go on with it.
    assert_eq!(bench.run(&["erase", "--epoch", "2026", "--reason", "asked for"]).exit, Exit::Satisfied);
    crate::sealed::collect(&mut bench);
    in_epoch("2026");
    bench.set(KEY, &first);
    let refused = bench.run(&["collect"]);
    assert!(refused.exit == Exit::Usage && refused.err.contains("was destroyed"), "{}", refused.err);
}

#[test]
fn pseudonyms_need_their_key() {
    let (site, mut bench) = site_with(PSEUDONYMS);
    organization(&site, "payroll-office@acme.example", "harmless");
    let without = bench.run(&["collect"]);
    assert_eq!(without.exit, Exit::Usage, "{}", without.err);
    assert!(without.err.contains("PROOFLINE_PSEUDONYM_KEY_FILE") && without.err.contains("openssl rand"), "{}", without.err);
    assert!(bench.everything_written().is_empty(), "nothing was collected");

    fs::write(bench.folder.path().join("short"), "too short\n").expect("written");
    bench.variables.insert("PROOFLINE_PSEUDONYM_KEY_FILE".to_owned(), "short".to_owned());
    assert!(bench.run(&["collect"]).err.contains("9 bytes"));
    fs::write(bench.folder.path().join("proofline.toml"), format!("# {}\n{}", tokens()[0], site.configuration())).expect("written");
    assert!(bench.run(&["collect"]).err.contains("the configuration holds"), "it would be kept");
    fs::write(bench.folder.path().join("proofline.toml"), format!("{}[redaction]\nkey_epoch = \"2026\"\n", site.configuration())).expect("written");
    let secret = "fedcba9876543210".repeat(2);
    fs::write(bench.folder.path().join("long"), format!("{secret}\n")).expect("written");
    bench.variables.insert("PROOFLINE_PSEUDONYM_KEY_FILE".to_owned(), "long".to_owned());
    let outcome = bench.run(&["collect"]);
    let written = bench.everything_written();
    assert!(contains(&written, "\"email\":\"p_") && contains(&written, "\"key_epoch\":\"2026\""), "{}", outcome.err);
    assert!(!contains(&written, "payroll-office@acme.example") && !contains(&written, &secret));
}

/// `cargo test --test it redact::speed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
#[allow(clippy::disallowed_methods, reason = "it measures")]
fn speed() {
    let members = |email: &str| -> Bytes {
        let item = |n: u32| json!({ "login": format!("user-{n}"), "id": n, "url": "https://api.github.com/users/x", "type": "User", "note": "a \"quoted\" text", email: "a@b.example" });
        serde_json::to_vec(&(0..1_000).map(item).collect::<Vec<_>>()).expect("JSON").into()
    };
    let ascii: Bytes = String::from_utf8(members("other").to_vec()).expect("UTF-8").replace("quoted", "caf\\u00e9").into();
    for (what, body) in [("nothing to take out", members("other")), ("an address in each of 1000", members("email")), ("many escapes", ascii)] {
        let redactor = plain();
        let rounds = (20 << 20) / body.len();
        let started = Instant::now();
        for _ in 0..rounds {
            std::hint::black_box(redactor.clean("orgs/list-members", body.clone()).expect("kept"));
        }
        let seconds = started.elapsed().as_secs_f64();
        let megabytes = f64::from(u32::try_from(rounds * body.len()).expect("20 MB")) / 1e6;
        println!("{what}: {rounds} bodies of {} kB, {:.0} MB/s", body.len() / 1_000, megabytes / seconds);
    }
}
