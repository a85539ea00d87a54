use insta::assert_snapshot;

use super::{BASELINE, Folder, NAMES, TIDY};

/// The chain with one mistake in it, and what is said about it.
fn with(file: &str, from: &str, to: &str) -> String {
    let folder = Folder::empty();
    for (name, text) in [("1.json", BASELINE), ("2.json", NAMES), ("3.json", TIDY)] {
        assert!(name != file || text.contains(from), "{from}");
        let text = if name == file { text.replacen(from, to, 1) } else { text.to_owned() };
        folder.write(&format!("chain/{name}"), &text);
    }
    let ran = folder.run("check --chain chain");
    assert_eq!((ran.code, &*ran.stdout), (1, ""), "{ran}");
    ran.stderr
}

#[test]
fn mistakes_in_chain_files_are_underlined() {
    assert_snapshot!("not_json", with("2.json", "\"change\":", "\"change\""));
    assert_snapshot!("cut_off", with("1.json", "      }\n    }\n  }\n}\n", ""));
    assert_snapshot!("unknown_path", with("2.json", "/title", "/titel"));
    assert_snapshot!("step_inside", with("3.json", "/tag", "/tga"));
    assert_snapshot!("step_inside_misread", with("3.json", "\"to\": \"/label\"", "\"too\": \"/label\""));
    assert_snapshot!(
        "schema_keyword",
        with("1.json", "{ \"enum\": [\"open\", \"shut\"] }", "{ \"pattern\": \"open\" }")
    );
    assert_snapshot!("layout", with("2.json", "\"key\": \"notes\"", "\"key\": \"noten\""));
    assert_snapshot!("parent", with("3.json", "[\"names\"]", "[\"nams\"]"));
    assert_snapshot!("way_back", with("2.json", ", \"shut\": \"private\"", ""));
}

#[test]
fn a_verb_that_is_none_is_underlined() {
    let told = with("2.json", "\"rename\"", "\"renam\"");
    assert!(
        told.contains("expected one of the verbs add, ") && told.contains("         ^^^^^^^ collection notes, step 1"),
        "{told}"
    );
}

#[test]
fn an_error_is_one_object_where_json_is_asked_for() {
    let folder = Folder::empty();
    folder.write("chain/1.json", BASELINE);
    folder.write("chain/2.json", &NAMES.replace("/title", "/titel"));
    for command in ["check", "lock", "explain", "types"] {
        let ran = folder.run(&format!("{command} --chain chain --json"));
        let error = ran.error();
        let place =
            ["kind", "migration", "collection", "step", "path", "file"].map(|name| error[name].as_str().unwrap());
        assert_eq!(place, ["chain", "names", "notes", "1 (rename)", "/titel", "chain/2.json"], "{ran}");
        assert_eq!((ran.code, error["line"].as_u64()), (1, Some(9)), "{ran}");
    }
    let nowhere = folder.run("check --chain nowhere --json");
    assert_eq!((nowhere.code, nowhere.error()["kind"].as_str()), (3, Some("file")));
    let usage = folder.run("check --json");
    assert_eq!((usage.code, usage.error()["kind"].as_str()), (2, Some("usage")));
    let message = "the following required arguments were not provided: --chain <DIR>";
    assert_eq!(usage.error()["message"], message);
}

#[test]
fn a_folder_that_is_not_there_is_a_file_that_failed() {
    for command in ["check", "lock", "explain", "types", "new x", "translate --collection notes --from 1 --to 2"] {
        let ran = Folder::empty().run(&format!("{command} --chain nowhere"));
        assert_eq!(ran.code, 3, "{ran}");
        assert!(ran.stderr.starts_with("error: nowhere: "), "{ran}");
    }
}

#[test]
fn help_names_the_exit_codes() {
    let ran = Folder::empty().run("--help");
    assert_eq!((ran.code, ran.stdout.contains("3  a file or a pipe failed")), (0, true), "{ran}");
}
