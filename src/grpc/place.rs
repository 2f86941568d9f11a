//! Where in a request a field is. What it is called is written only once something is wrong there.

use std::borrow::Cow;

use crate::proto::Field;

/// A field, or an item of a list, or a field of such an item.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    field: &'static Field,
    depth: Depth,
}

#[derive(Clone, Copy, Debug)]
enum Depth {
    Request,
    Item(usize),
    Within(&'static Field, usize),
}

impl Place {
    /// What is declared of it.
    pub(super) const fn field(self) -> &'static Field {
        self.field
    }
}

impl Field {
    /// An item of this list.
    pub(super) fn item(&'static self, index: usize) -> Place {
        Place {
            depth: Depth::Item(index),
            ..self.into()
        }
    }

    /// This field of an item of `list`.
    pub(super) fn within(&'static self, list: &'static Self, index: usize) -> Place {
        Place {
            depth: Depth::Within(list, index),
            ..self.into()
        }
    }
}

impl From<&'static Field> for Place {
    fn from(field: &'static Field) -> Self {
        Self {
            field,
            depth: Depth::Request,
        }
    }
}

impl From<Place> for Cow<'static, str> {
    fn from(place: Place) -> Self {
        let name = place.field.name;
        match place.depth {
            Depth::Request => name.into(),
            Depth::Item(index) => format!("{name}[{index}]").into(),
            Depth::Within(list, index) => format!("{}[{index}].{name}", list.name).into(),
        }
    }
}
