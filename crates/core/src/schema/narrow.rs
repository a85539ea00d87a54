//! A schema of those values that a predicate holds of, as far as a schema can say it.

use super::{Member, Schema, Shape, Type, Types};
use crate::document::{Kind, Path};
use crate::lens::Predicate;

impl Schema {
    /// What the values that fit, and that the predicate holds of (or does not), fit as well. Never less than those
    /// values; more, where a schema cannot say it, but never more than this one.
    #[must_use]
    pub fn narrow(&self, predicate: &Predicate, holds: bool) -> Self {
        let narrowed = self.narrowed(predicate, holds);
        if self.includes(&narrowed) { narrowed } else { self.clone() }
    }

    fn narrowed(&self, predicate: &Predicate, holds: bool) -> Self {
        match (predicate, holds) {
            (Predicate::In(path, values), true) => self.where_there(path, &Schema::one_of(values.clone())),
            (Predicate::Exists(path), true) => self.where_there(path, &Schema::any()),
            (Predicate::Type(path, types), true) => self.where_there(path, &Schema::of_types(*types)),
            (Predicate::In(path, values), false) => self.where_absent_or(path, &|member| match member.values() {
                Some(all) => Schema::one_of(all.iter().filter(|value| !values.contains(value)).cloned().collect()),
                None => member.clone(),
            }),
            (Predicate::Exists(path), false) => self.where_absent_or(path, &|_| Schema::never()),
            (Predicate::Type(path, types), false) => {
                let others = |member: &Schema| {
                    let kept = member.types.iter().filter(|ty| !types.include(*ty) && !is_hidden(*ty, *types));
                    member.meet(&Schema::of_types(kept.fold(Types::NONE, Types::or)))
                };
                self.where_absent_or(path, &others)
            }
            (Predicate::And(all), true) | (Predicate::Or(all), false) => {
                all.iter().fold(self.clone(), |schema, one| schema.narrow(one, holds))
            }
            (Predicate::And(all), false) | (Predicate::Or(all), true) => {
                all.iter().fold(Schema::never(), |schema, one| schema.join(&self.narrow(one, holds)))
            }
            (Predicate::Not(other), _) => self.narrow(other, !holds),
        }
    }

    /// The values that have something at a place, and something that fits: so there are objects around it, also where the
    /// schema did not say so.
    fn where_there(&self, path: &Path, fits: &Schema) -> Self {
        let tokens: Vec<_> = path.tokens().collect();
        self.holding(&tokens, fits)
    }

    fn holding(&self, tokens: &[&str], fits: &Schema) -> Self {
        let Some((name, inner)) = tokens.split_first() else { return self.meet(fits) };
        let mut narrowed = self.meet(&Schema::of_types(Type::Object.into()));
        if narrowed.lists(Kind::Object) || narrowed.types == Types::NONE {
            return narrowed;
        }
        let mut shapes = std::mem::take(&mut narrowed.shapes);
        if shapes.is_empty() {
            shapes.push(Shape::default());
        }
        for shape in &mut shapes {
            let schema = shape.part(name).holding(inner, fits);
            shape.members.insert((*name).to_owned(), Member { schema, required: true });
        }
        narrowed.set_shapes(shapes);
        narrowed
    }

    /// The values that have nothing at a place, or something that is left of what may be there.
    fn where_absent_or(&self, path: &Path, left: &dyn Fn(&Schema) -> Schema) -> Self {
        let mut narrowed = self.clone();
        let tokens: Vec<_> = path.tokens().collect();
        let [outer @ .., _] = &tokens[..] else { return left(&narrowed) };
        // An object around it that may be absent, or no object, may be the reason why there is nothing.
        let enclosed = (0..outer.len()).all(|depth| {
            let at = outer[..=depth].iter().fold(Path::default(), |path, token| path.join(token));
            self.requires(&at) && self.at(&at).is_some_and(|schema| schema.types.only_object())
        });
        if enclosed || outer.is_empty() {
            narrowed.narrow_member(&tokens, &|member| member.schema = left(&member.schema));
        }
        narrowed
    }

    /// Changes a member in each form that declares it; forms that are then impossible go.
    fn narrow_member(&mut self, tokens: &[&str], change: &dyn Fn(&mut Member)) {
        let Some((name, inner)) = tokens.split_first() else { return };
        if self.shapes.is_empty() || self.lists(Kind::Object) {
            return;
        }
        let mut shapes = std::mem::take(&mut self.shapes);
        for member in shapes.iter_mut().filter_map(|shape| shape.members.get_mut(*name)) {
            match inner.is_empty() {
                true => change(member),
                false => {
                    member.schema.narrow_member(inner, change);
                }
            }
        }
        self.set_shapes(shapes);
    }
}

/// Numbers that are whole have no type apart from `number` where that is permitted.
fn is_hidden(ty: Type, types: Types) -> bool {
    ty == Type::Integer && types.include(Type::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Value;

    fn schema(text: &str) -> Schema {
        Schema::read(&Value::parse(text).unwrap()).unwrap()
    }

    fn path(text: &str) -> Path {
        Path::parse(text).unwrap()
    }

    #[test]
    fn forms_that_a_predicate_rules_out_go() {
        let both = schema(
            r#"{"anyOf":[{"type":"object","required":["k"],"properties":{"k":{"const":"a"},"x":{"type":"string"}}},
                         {"type":"object","required":["k"],"properties":{"k":{"const":"b"},"x":{"type":"number"}}}]}"#,
        );
        let is_a = Predicate::In(path("/k"), vec![Value::from("a")]);
        let a = schema(r#"{"type":"object","required":["k"],"properties":{"k":{"const":"a"},"x":{"type":"string"}}}"#);
        let b = schema(r#"{"type":"object","required":["k"],"properties":{"k":{"const":"b"},"x":{"type":"number"}}}"#);
        assert_eq!(both.narrow(&is_a, true), a);
        assert_eq!(both.narrow(&is_a, false), b);
        assert_eq!(both.narrow(&Predicate::Not(Box::new(is_a)), false), a);
    }

    #[test]
    fn types_are_divided_and_nobody_is_nobody() {
        let either =
            schema(r#"{"type":"object","required":["c"],"properties":{"c":{"type":["string","array","null"]}}}"#);
        let is_text = Predicate::Type(path("/c"), Type::String.into());
        assert_eq!(
            either.narrow(&is_text, true),
            schema(r#"{"type":"object","required":["c"],"properties":{"c":{"type":"string"}}}"#)
        );
        assert_eq!(
            either.narrow(&is_text, false),
            schema(r#"{"type":"object","required":["c"],"properties":{"c":{"type":["array","null"]}}}"#)
        );
        assert_eq!(either.narrow(&Predicate::Or(Vec::new()), true), Schema::never());
        assert_eq!(either.narrow(&Predicate::Or(Vec::new()), false), either);
    }
}
