use super::Folder;

#[test]
fn every_shell_has_completions_that_know_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = Folder::empty().run(&format!("completions {shell}"));
        assert_eq!(ran.code, 0, "{ran}");
        assert!(ran.stdout.contains("translate"), "{shell}");
    }
    assert_eq!(Folder::empty().run("completions tcsh").code, 2);
}
