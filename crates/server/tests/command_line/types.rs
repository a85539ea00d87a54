use super::Folder;

#[test]
fn types_of_a_version() {
    let folder = Folder::with_chain();
    let ran = folder.run("types --chain chain");
    assert!(ran.stdout.contains("export"), "{ran}");
    let schemas = folder.run("types --chain chain --version 1 --format json-schema").report();
    assert_eq!(schemas["notes"]["properties"]["title"]["type"], "string");
    assert_eq!(folder.run("types --chain chain --version 4").code, 2);
}
