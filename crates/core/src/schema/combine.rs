//! Two schemas as one: what both permit, what either permits.

use super::{Schema, Shape, Types};
use crate::document::{Kind, Value};

const KINDS: [Kind; 6] = [Kind::Null, Kind::Boolean, Kind::Number, Kind::String, Kind::Array, Kind::Object];

impl Schema {
    /// A schema that permits what either permits, and little else: lists of values unite, bounds widen, and of objects
    /// it knows the members that both know.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        if self == other {
            return Self { about: self.about.or(&other.about), ..self.clone() };
        }
        let keeps = |other: &Self, kind| other.lists(kind) || !other.types.touch(kind);
        let mine = self.values.iter().filter(|value| keeps(other, value.kind()));
        let theirs = other.values.iter().filter(|value| keeps(self, value.kind()) && !self.values.contains(value));
        let mut joined = Self {
            types: self.types.or(other.types),
            values: mine.chain(theirs).cloned().collect(),
            text: self.part_of_either(other, Kind::String, |schema| schema.text, |a, b| a.join(&b)),
            number: self.part_of_either(other, Kind::Number, |schema| schema.number.clone(), |a, b| a.join(&b)),
            array: self.part_of_either(other, Kind::Array, |schema| schema.array.clone(), |a, b| a.join(&b)),
            ..Self::any()
        };
        joined.set_shapes(self.part_of_either(
            other,
            Kind::Object,
            |schema| schema.shapes.clone(),
            |a, b| if a.is_empty() || b.is_empty() { Vec::new() } else { [a, b].concat() },
        ));
        joined.settled()
    }

    /// A part of the one that permits values of the kind; joined, where both do.
    fn part_of_either<P>(&self, other: &Self, kind: Kind, part: fn(&Self) -> P, join: fn(P, P) -> P) -> P {
        match (self.types.touch(kind), other.types.touch(kind)) {
            (_, false) => part(self),
            (false, true) => part(other),
            (true, true) => join(part(self), part(other)),
        }
    }

    /// The schema of the values that fit both.
    #[must_use]
    pub fn meet(&self, other: &Self) -> Self {
        let mine = self.values.iter().filter(|value| other.accepts(value));
        let theirs = other.values.iter().filter(|value| !self.lists(value.kind()) && self.accepts(value));
        let mut met = Self {
            types: self.types.and(other.types).without(self.listed().or(other.listed())),
            values: mine.chain(theirs).cloned().collect(),
            text: self.text.meet(&other.text),
            number: self.number.meet(&other.number),
            array: self.array.meet(&other.array),
            shapes: Vec::new(),
            about: self.about.or(&other.about),
        };
        match (&self.shapes[..], &other.shapes[..]) {
            ([], []) => {}
            ([], one) | (one, []) => met.set_shapes(one.to_vec()),
            (a, b) => met.set_shapes(a.iter().flat_map(|a| b.iter().map(|b| a.meet(b))).collect()),
        }
        met.settled()
    }

    /// The kind of values for which [`Schema::join`] would permit more than the two do, if there is one.
    pub(super) fn blurs(&self, other: &Self) -> Option<Kind> {
        let blurred = |kind: &Kind| match (kind, self.lists(*kind), other.lists(*kind)) {
            (Kind::Null | Kind::Boolean, ..) | (_, true, true) => false,
            (_, true, false) | (_, false, true) => true,
            (Kind::Number, ..) => self.number != other.number,
            (Kind::String, ..) => self.text != other.text,
            (Kind::Array, ..) => self.array != other.array,
            (Kind::Object, ..) => !self.shapes_are_apart(other),
        };
        KINDS.into_iter().filter(|kind| self.types.touch(*kind) && other.types.touch(*kind)).find(blurred)
    }

    fn shapes_are_apart(&self, other: &Self) -> bool {
        let apart = |a: &Shape| other.shapes.iter().all(|b| a == b || a.is_told_from(b));
        self.shapes == other.shapes
            || !self.shapes.is_empty() && !other.shapes.is_empty() && self.shapes.iter().all(apart)
    }

    /// Says which forms objects may have. Forms that are not told apart become one that permits what each does.
    pub(super) fn set_shapes(&mut self, shapes: Vec<Shape>) {
        let mut distinct: Vec<Shape> = Vec::new();
        let any = shapes.is_empty();
        for shape in shapes {
            if !shape.is_impossible() && !distinct.contains(&shape) {
                distinct.push(shape);
            }
        }
        if !any && distinct.is_empty() {
            self.types = self.types.without(Kind::Object);
        }
        let apart = distinct.iter().enumerate().all(|(at, a)| distinct[at + 1..].iter().all(|b| a.is_told_from(b)));
        self.shapes = match apart {
            true => distinct,
            false => distinct.into_iter().reduce(|a, b| a.join(&b)).into_iter().collect(),
        };
        if let [shape] = &self.shapes[..] {
            self.about = self.about.or(&shape.about);
            if *shape == Shape::default() {
                self.shapes.clear();
            }
        }
    }

    /// The one spelling of what the schema says: nothing is said of a kind twice, or of a kind that is not permitted.
    pub(super) fn settled(mut self) -> Self {
        let listed = self.listed();
        let types = self.values.iter().fold(self.types.without(listed), |types, value| types.or(Types::of(value)));
        self.types = types;
        // `null` is a list of itself: it is listed where anything is.
        let beside = self.values.iter().any(|value| value.kind() != Kind::Null);
        if !beside {
            self.values.clear();
        } else if types.touch(Kind::Null) && !self.lists(Kind::Null) {
            self.values.push(Value::Null);
        }
        let open = |kind| types.touch(kind) && !listed.touch(kind);
        if !open(Kind::String) {
            self.text = Default::default();
        }
        if !open(Kind::Number) {
            self.number = Default::default();
        }
        if !open(Kind::Array) {
            self.array = Default::default();
        }
        if !open(Kind::Object) {
            self.shapes.clear();
        }
        self
    }
}
