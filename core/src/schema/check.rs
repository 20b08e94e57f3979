//! Checks a value against a schema.

use serde_json::{Map, Value};

use super::Fault;
use super::reduce::MAX_DEPTH;
use super::refs::below;
use super::strip::{has_type, is_listed, list, may_be, target};

/// Checks types, constants, properties, items, unions and bounds. `pattern`, `format` and the
/// keywords that no provider enforces are not checked.
///
/// # Errors
/// The first fault, without any value in it.
pub(crate) fn check(value: &Value, schema: &Value) -> Result<(), Fault> {
    let checker = Checker { root: schema };
    checker.check(value, schema, ".", MAX_DEPTH)
}

struct Checker<'a> {
    root: &'a Value,
}

impl Checker<'_> {
    fn check(&self, value: &Value, schema: &Value, path: &str, depth: usize) -> Result<(), Fault> {
        let fault = |why: String| {
            let path = path.to_owned();
            Err(Fault { path, why })
        };
        let (Some(depth), Value::Object(fields)) = (depth.checked_sub(1), schema) else {
            return match *schema == false {
                true => fault("must be left out".to_owned()),
                false => Ok(()),
            };
        };
        if let Some(target) = target(fields, self.root) {
            self.check(value, target, path, depth)?;
        }
        if !has_type(value, fields) {
            let wanted = match &fields["type"] {
                Value::String(kind) => kind.clone(),
                kinds => kinds.to_string(),
            };
            return fault(format!("is {}, not {wanted}", kind_of(value)));
        }
        if !is_listed(value, fields) {
            let allowed = fields.get("const").or(fields.get("enum"));
            return fault(format!("must be {}", allowed.unwrap_or(&Value::Null)));
        }
        if let Some(why) = out_of_bounds(value, fields) {
            return fault(why);
        }
        for schema in list(fields, "allOf") {
            self.check(value, schema, path, depth)?;
        }
        for name in ["anyOf", "oneOf"] {
            self.union(value, list(fields, name), path, depth)?;
        }
        match value {
            Value::Object(members) => self.object(members, fields, path, depth),
            Value::Array(members) => self.array(members, fields, path, depth),
            _ => Ok(()),
        }
    }

    /// Checks that one of the variants accepts the value. If exactly one variant has the right
    /// type, required properties and constants, but refuses the value, its fault is returned.
    fn union(
        &self,
        value: &Value,
        variants: &[Value],
        path: &str,
        depth: usize,
    ) -> Result<(), Fault> {
        if variants.is_empty() {
            return Ok(());
        }
        let mut faults = Vec::new();
        for variant in variants {
            if may_be(value, variant, self.root, depth) {
                match self.check(value, variant, path, depth) {
                    Ok(()) => return Ok(()),
                    Err(fault) => faults.push(fault),
                }
            }
        }
        match faults.len() {
            1 => Err(faults.remove(0)),
            _ => Err(Fault {
                path: path.to_owned(),
                why: format!("is none of the {} alternatives", variants.len()),
            }),
        }
    }

    fn object(
        &self,
        members: &Map<String, Value>,
        fields: &Map<String, Value>,
        path: &str,
        depth: usize,
    ) -> Result<(), Fault> {
        for name in list(fields, "required").iter().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                return Err(Fault {
                    path: below(path, name),
                    why: "is missing".to_owned(),
                });
            }
        }
        let properties = fields.get("properties").and_then(Value::as_object);
        let patterns = fields.get("patternProperties").and_then(Value::as_object);
        for (name, member) in members {
            let path = below(path, name);
            let others = fields.get("additionalProperties");
            match (properties.and_then(|all| all.get(name)), patterns) {
                (Some(schema), _) => self.check(member, schema, &path, depth)?,
                // Which pattern the name matches is not known.
                (None, Some(patterns)) => {
                    let fits = |schema| self.check(member, schema, &path, depth).is_ok();
                    if !others.is_none_or(fits) {
                        let variants: Vec<Value> = patterns.values().cloned().collect();
                        match &variants[..] {
                            [only] => self.check(member, only, &path, depth)?,
                            _ => self.union(member, &variants, &path, depth)?,
                        }
                    }
                }
                (None, None) => {
                    if let Some(schema) = others {
                        self.check(member, schema, &path, depth)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn array(
        &self,
        members: &[Value],
        fields: &Map<String, Value>,
        path: &str,
        depth: usize,
    ) -> Result<(), Fault> {
        let prefix = list(fields, "prefixItems");
        for (place, member) in members.iter().enumerate() {
            if let Some(schema) = prefix.get(place).or(fields.get("items")) {
                self.check(member, schema, &below(path, &format!("[{place}]")), depth)?;
            }
        }
        Ok(())
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Which bound of a schema a value exceeds.
fn out_of_bounds(value: &Value, fields: &Map<String, Value>) -> Option<String> {
    let size = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.chars().count() as f64,
        Value::Array(members) => members.len() as f64,
        _ => return None,
    };
    let (least, most) = match value {
        Value::Number(_) => ("minimum", "maximum"),
        Value::String(_) => ("minLength", "maxLength"),
        _ => ("minItems", "maxItems"),
    };
    let bound = |name: &str| fields.get(name).and_then(Value::as_f64);
    let exceeded = |name: &str, is_exceeded: fn(f64, f64) -> bool| {
        let limit = bound(name)?;
        is_exceeded(size, limit).then(|| format!("does not keep to {name} {limit}"))
    };
    let exclusive = || {
        value.is_number().then_some(())?;
        exceeded("exclusiveMinimum", |size, limit| size <= limit)
            .or_else(|| exceeded("exclusiveMaximum", |size, limit| size >= limit))
    };
    exceeded(least, |size, limit| size < limit)
        .or_else(|| exceeded(most, |size, limit| size > limit))
        .or_else(exclusive)
}
