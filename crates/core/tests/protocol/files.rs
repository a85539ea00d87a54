//! Export files, on their way out and in.

use super::*;

#[test]
fn an_export_of_any_version_comes_in_at_any_version() {
    let (one, five) = (chain(1), chain(5));
    let (old, new) = (Machine::holding(&OLD), Machine::holding(&OLD));
    open(&old, &one).unwrap();
    open(&new, &five).unwrap();
    let (from_one, from_five) = (export(&old, &one), export(&new, &five));
    let ours = |data: &[(&'static str, &'static str)]| {
        data.iter().copied().filter(|(key, _)| *key != "somebody_elses").collect::<Vec<_>>()
    };
    for (name, file) in [("1", &from_one), ("5", &from_five)] {
        for merge in [Merge::Replace, Merge::Keep, Merge::Take] {
            let fresh = Machine::holding(&[]);
            open(&fresh, &five).unwrap();
            assert_eq!(import(&fresh, &five, file, merge).unwrap().state, State::Current);
            assert_holds(&fresh, &ours(&NEW), &format!("version {name} into 5, {merge:?}"));
            let fresh = Machine::holding(&[]);
            open(&fresh, &one).unwrap();
            assert_eq!(import(&fresh, &one, file, merge).unwrap().state, State::Current);
            assert_holds(&fresh, &ours(&OLD), &format!("version {name} into 1, {merge:?}"));
        }
    }
}

#[test]
fn a_merge_keeps_or_takes_and_a_replacement_leaves_nothing_else() {
    let mut other = OLD;
    other[1].1 = r#"[{"id":"z","title":"Z","create_time":0,"update_time":0,"messages":[]},{"id":"a","title":"other","create_time":0,"update_time":0,"messages":[]}]"#;
    for length in [1, 5] {
        let chain = chain(length);
        let source = Machine::holding(&other);
        open(&source, &chain).unwrap();
        let file = export(&source, &chain);
        let titles = |merge| {
            let machine = Machine::holding(&OLD);
            open(&machine, &chain).unwrap();
            import(&machine, &chain, &file, merge).unwrap();
            let file = export(&machine, &chain);
            let lines = file.lines().filter(|line| line.contains("\"conversations\",\"key\""));
            let mut titles: Vec<_> = lines
                .map(|line| {
                    line.split('"').skip_while(|part| *part != "key").nth(2).unwrap().to_owned()
                        + if line.contains("other") { "!" } else { "" }
                })
                .collect();
            if length == 5 {
                titles.sort();
            }
            titles
        };
        let expected = if length == 1 {
            [["b", "a", "c", "z"], ["b", "a!", "c", "z"]]
        } else {
            [["a", "b", "c", "z"], ["a!", "b", "c", "z"]]
        };
        assert_eq!(titles(Merge::Keep), expected[0], "version {length}");
        assert_eq!(titles(Merge::Take), expected[1], "version {length}");
        let mut replaced = titles(Merge::Replace);
        replaced.sort();
        assert_eq!(replaced, ["a!", "z"], "version {length}");
    }
}

#[test]
fn a_preview_counts_and_writes_nothing() {
    let chain = chain(5);
    let (source, machine) = (Machine::holding(&OLD), Machine::holding(&OLD[..2]));
    open(&source, &chain).unwrap();
    open(&machine, &chain).unwrap();
    machine
        .stored
        .borrow_mut()
        .insert("conversation:a".into(), NEW[1].1.replace("\"title\":\"\"", "\"title\":\"mine\""));
    let before = machine.stored.borrow().clone();
    let preview =
        block_on(records(&machine, &chain).preview(Text::new(&export(&source, &chain)), Merge::Keep)).unwrap();
    let counts = *preview.collections.get("conversations").unwrap();
    assert_eq!((counts.add, counts.same, counts.keep, counts.replace), (0, 2, 1, 0));
    assert_eq!(preview.collections.get("distillations").unwrap().add, 2);
    assert_eq!(*machine.stored.borrow(), before);
}

#[test]
fn a_file_that_is_cut_or_altered_is_refused_with_its_line_and_changes_nothing() {
    let chain = chain(5);
    let source = Machine::holding(&OLD);
    open(&source, &chain).unwrap();
    let file = export(&source, &chain);
    let lines: Vec<_> = file.lines().collect();
    let bad: Vec<(String, &str)> = vec![
        (String::new(), "empty"),
        ("{".into(), "line 1"),
        ("[]".into(), "line 1"),
        (file[..file.len() / 2].into(), "line"),
        (lines[..lines.len() - 1].join("\n"), "cut off"),
        ([&lines[..2], &lines[3..]].concat().join("\n"), "lines are missing"),
        (file.replacen("\"T\"", "\"U\"", 1), "edited or damaged"),
        (format!("{file}{}", lines[1]), "found more"),
        ([&lines[..2], &lines[1..]].concat().join("\n"), "found it twice"),
        (file.replace("balanced", "bold"), "edited or damaged"),
        (
            format!(
                "{}\n{{\"collection\":\"conversations\",\"key\":\"q\",\"record\":{}{}}}",
                lines[0],
                "[".repeat(500),
                "]".repeat(500)
            ),
            "levels of nesting",
        ),
        (
            format!("{}\n{{\"collection\":\"conversations\",\"key\":\"exuvia\",\"record\":{{}}}}", lines[0]),
            "Exuvia's own",
        ),
        (
            format!("{}\n{{\"collection\":\"strangers\",\"key\":\"q\",\"record\":{{}}}}", lines[0]),
            "expected one of the collections",
        ),
    ];
    for (text, expected) in bad {
        let machine = Machine::holding(&OLD);
        open(&machine, &chain).unwrap();
        let error = import(&machine, &chain, &text, Merge::Replace).expect_err(expected);
        assert!(error.to_string().contains(expected), "{expected}: {error}");
        assert_holds(&machine, &NEW, expected);
    }
}

#[test]
fn what_a_refused_file_or_an_interrupted_capture_left_is_removed() {
    let chain = chain(5);
    let machine = Machine::holding(&OLD);
    open(&machine, &chain).unwrap();
    let kept = machine.kept();
    let file = export(&machine, &chain);
    import(&machine, &chain, &file[..file.len() / 2], Merge::Keep).unwrap_err();
    assert_eq!(machine.kept(), kept, "after the refused file");
    for death in 0..40 {
        let machine = Machine::holding(&OLD);
        machine.fuel.set(Some(death));
        let _ = open(&machine, &chain);
        machine.fuel.set(None);
        open(&machine, &chain).unwrap();
        assert_eq!(machine.kept(), 1, "after a death at {death}");
    }
}

#[test]
fn a_record_with_an_empty_key_is_a_record_like_any_other() {
    let mut old = OLD;
    old[2].1 = r#"{"":{"conversation":"a","text":"T","tags":"","created":3}}"#;
    let (machine, chain) = (Machine::holding(&old), chain(5));
    assert_eq!(open(&machine, &chain).unwrap().state, State::Current);
    let file = export(&machine, &chain);
    let fresh = Machine::holding(&[]);
    open(&fresh, &chain).unwrap();
    import(&fresh, &chain, &file, Merge::Keep).unwrap();
    assert!(fresh.data().contains_key("distillation:"), "{:?}", fresh.data().keys());
}
