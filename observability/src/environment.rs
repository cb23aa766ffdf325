//! The `OTEL_*` variables, read into the settings.
//!
//! The environment is a value, so that tests inject it. Settings given already are kept; a value that
//! cannot be read is ignored and named in the settings' warnings. Lists (`k=v,k=v`) are percent-decoded.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::{Header, TelemetryConfig};
use crate::names::attribute;
use crate::sampling::SampleRatio;

const PREFIX: &str = "OTEL_";
/// Entries read from one list; the rest is ignored.
const MAX_LIST_ENTRIES: usize = 64;

/// Variables of the environment, only those that begin with `OTEL_`.
#[derive(Clone, Debug, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        Self::from_pairs(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        }))
    }

    /// Variables given by name and value.
    pub fn from_pairs<Name: Into<String>, Value: Into<String>>(
        pairs: impl IntoIterator<Item = (Name, Value)>,
    ) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .filter(|(name, _): &(String, String)| name.starts_with(PREFIX))
                .collect(),
        )
    }

    /// A variable's value, trimmed; an empty one counts as unset.
    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The first of two variables that is set, with its name.
    fn either<'a>(&'a self, first: &'a str, second: &'a str) -> Option<(&'a str, &'a str)> {
        [first, second]
            .into_iter()
            .find_map(|name| Some((name, self.get(name)?)))
    }
}

impl TelemetryConfig {
    /// Fills what the settings leave open from the environment.
    #[must_use]
    pub fn with_environment(mut self, environment: &Environment) -> Self {
        self.take_switches(environment);
        self.take_exporter(environment);
        self.take_resource(environment);
        self.take_sampler(environment);
        self.take_queue(environment);
        self
    }

    fn ignore(&mut self, name: &str, value: &str) {
        self.warnings
            .push(format!("{name}='{value}' is ignored: not understood"));
    }

    fn take_switches(&mut self, environment: &Environment) {
        self.disabled |= environment
            .get("OTEL_SDK_DISABLED")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"));
        match environment
            .get("OTEL_TRACES_EXPORTER")
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            Some("none") => self.disabled = true,
            None | Some("otlp") => {}
            Some(other) => self.ignore("OTEL_TRACES_EXPORTER", other),
        }
    }

    fn take_exporter(&mut self, environment: &Environment) {
        if self.protocol.is_none()
            && let Some((name, value)) = environment.either(
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
                "OTEL_EXPORTER_OTLP_PROTOCOL",
            )
        {
            match value.parse() {
                Ok(protocol) => self.protocol = Some(protocol),
                Err(_) => self.ignore(name, value),
            }
        }
        if self.endpoint.is_none() && self.traces_endpoint.is_none() {
            self.traces_endpoint = environment
                .get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
                .map(str::to_owned);
            if self.traces_endpoint.is_none() {
                self.endpoint = environment
                    .get("OTEL_EXPORTER_OTLP_ENDPOINT")
                    .map(str::to_owned);
            }
            let asked = environment
                .get("OTEL_TRACES_EXPORTER")
                .is_some_and(|value| value.eq_ignore_ascii_case("otlp"));
            if asked && self.traces_endpoint.is_none() && self.endpoint.is_none() {
                self.endpoint = Some(self.local_endpoint().to_owned());
            }
        }
        if self.headers.is_empty()
            && let Some((name, value)) = environment.either(
                "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
                "OTEL_EXPORTER_OTLP_HEADERS",
            )
        {
            match list(value) {
                Some(pairs) => {
                    self.headers = pairs
                        .into_iter()
                        .map(|(name, value)| Header { name, value })
                        .collect();
                }
                // the value may hold a secret
                None => self.ignore(name, "..."),
            }
        }
    }

    fn take_resource(&mut self, environment: &Environment) {
        let name = "OTEL_RESOURCE_ATTRIBUTES";
        if let Some(value) = environment.get(name) {
            match list(value) {
                Some(pairs) => {
                    for (key, value) in pairs {
                        if key == attribute::SERVICE_NAME {
                            if environment.get("OTEL_SERVICE_NAME").is_none() {
                                self.service_name.get_or_insert(value);
                            }
                        } else if !self.resource.iter().any(|(known, _)| *known == key) {
                            self.resource.push((key, value));
                        }
                    }
                }
                None => self.ignore(name, value),
            }
        }
        if self.service_name.is_none() {
            self.service_name = environment.get("OTEL_SERVICE_NAME").map(str::to_owned);
        }
    }

    fn take_sampler(&mut self, environment: &Environment) {
        if self.sample_ratio.is_some() {
            return;
        }
        let sampler = environment
            .get("OTEL_TRACES_SAMPLER")
            .map(str::to_ascii_lowercase);
        match sampler
            .as_deref()
            .map(|name| name.strip_prefix("parentbased_").unwrap_or(name))
        {
            Some("always_on") => self.sample_ratio = Some(SampleRatio::ALWAYS),
            Some("always_off") => self.sample_ratio = Some(SampleRatio::NEVER),
            None | Some("traceidratio") => {
                let name = "OTEL_TRACES_SAMPLER_ARG";
                if let Some(value) = environment.get(name) {
                    self.sample_ratio = value.parse().ok().and_then(SampleRatio::from_fraction);
                    if self.sample_ratio.is_none() {
                        self.ignore(name, value);
                    }
                }
            }
            Some(other) => {
                let other = other.to_owned();
                self.ignore("OTEL_TRACES_SAMPLER", &other);
            }
        }
    }

    fn take_queue(&mut self, environment: &Environment) {
        let mut number = |name: &str| {
            let value = environment.get(name)?;
            let number = value.parse::<u32>().ok().filter(|number| *number > 0);
            if number.is_none() {
                self.ignore(name, value);
            }
            number
        };
        let queue_spans = number("OTEL_BSP_MAX_QUEUE_SIZE");
        let batch_spans = number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE");
        let batch_delay = number("OTEL_BSP_SCHEDULE_DELAY");
        let export_timeout = number("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT")
            .or_else(|| number("OTEL_EXPORTER_OTLP_TIMEOUT"));
        let queue = &mut self.queue;
        let millis = |number: u32| Duration::from_millis(u64::from(number));
        queue.queue_spans = queue_spans.map_or(queue.queue_spans, |number| number as usize);
        queue.batch_spans = batch_spans.map_or(queue.batch_spans, |number| number as usize);
        queue.batch_delay = batch_delay.map_or(queue.batch_delay, millis);
        queue.export_timeout = export_timeout.map_or(queue.export_timeout, millis);
    }
}

/// Reads `k=v,k=v`; none when an entry has no `=` or no key, or a percent escape is broken.
fn list(text: &str) -> Option<Vec<(String, String)>> {
    text.split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .take(MAX_LIST_ENTRIES)
        .map(|entry| {
            let (key, value) = entry.split_once('=')?;
            let key = percent_decode(key.trim())?;
            (!key.is_empty()).then_some((key, percent_decode(value.trim())?))
        })
        .collect()
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, tail) = rest.split_at_checked(2)?;
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push(u8::try_from(digit(digits[0])? << 4 | digit(digits[1])?).ok()?);
        rest = tail;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Protocol, Target};

    fn read(pairs: &[(&str, &str)]) -> TelemetryConfig {
        TelemetryConfig::default().with_environment(&Environment::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn an_empty_environment_exports_nothing_and_warns_of_nothing() {
        let config = read(&[]);
        assert_eq!(config.target().unwrap(), None);
        assert!(config.warnings.is_empty());
        assert_eq!(config.ratio(), SampleRatio::one_in(1000));
    }

    #[test]
    fn the_standard_variables_are_read() {
        let config = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "authorization=Bearer%20abc, x-tenant = one ",
            ),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"),
            ("OTEL_SERVICE_NAME", "cache"),
            (
                "OTEL_RESOURCE_ATTRIBUTES",
                "service.name=other,deployment.environment=prod%2Ceu",
            ),
            ("OTEL_TRACES_SAMPLER_ARG", "0.01"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
            ("PATH", "/bin"),
        ]);
        let url = "http://collector:4318/v1/traces".to_owned();
        assert_eq!(
            config.target().unwrap(),
            Some(Target {
                url,
                protocol: Protocol::HttpProtobuf
            })
        );
        let headers: Vec<_> = config
            .headers
            .iter()
            .map(|header| (&*header.name, &*header.value))
            .collect();
        assert_eq!(
            headers,
            [("authorization", "Bearer abc"), ("x-tenant", "one")]
        );
        assert_eq!(config.queue.export_timeout, Duration::from_millis(2500));
        assert_eq!(config.queue.queue_spans, 100);
        assert_eq!(config.service_name.as_deref(), Some("cache"));
        assert_eq!(
            config.resource,
            [("deployment.environment".to_owned(), "prod,eu".to_owned())]
        );
        assert_eq!(config.ratio(), SampleRatio::one_in(100));
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
    }

    #[test]
    fn a_service_name_among_the_resource_attributes_is_taken_when_alone() {
        let config = read(&[("OTEL_RESOURCE_ATTRIBUTES", "service.name=other")]);
        assert_eq!(config.service_name.as_deref(), Some("other"));
    }

    #[test]
    fn the_endpoint_for_traces_beats_the_general_one() {
        let config = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://general:4318"),
            (
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
                "http://traces:4318/in",
            ),
        ]);
        assert_eq!(
            config.target().unwrap().unwrap().url,
            "http://traces:4318/in"
        );
    }

    #[test]
    fn both_switches_off_win_over_an_endpoint() {
        for off in [
            ("OTEL_SDK_DISABLED", "TRUE"),
            ("OTEL_TRACES_EXPORTER", "none"),
        ] {
            let config = TelemetryConfig {
                endpoint: Some("collector:4317".to_owned()),
                ..Default::default()
            };
            let config = config.with_environment(&Environment::from_pairs([off]));
            assert_eq!(config.target().unwrap(), None, "{off:?}");
        }
    }

    #[test]
    fn the_exporter_asked_for_without_an_endpoint_is_the_local_collector() {
        let config = read(&[("OTEL_TRACES_EXPORTER", "otlp")]);
        assert_eq!(
            config.target().unwrap().unwrap().url,
            "http://localhost:4318/v1/traces"
        );
        let config = read(&[
            ("OTEL_TRACES_EXPORTER", "otlp"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ]);
        assert_eq!(
            config.target().unwrap().unwrap().url,
            "http://localhost:4317"
        );
    }

    #[test]
    fn settings_beat_the_environment() {
        let config = TelemetryConfig {
            endpoint: Some("http://mine:4317".to_owned()),
            service_name: Some("mine".to_owned()),
            sample_ratio: Some(SampleRatio::ALWAYS),
            ..Default::default()
        };
        let config = config.with_environment(&Environment::from_pairs([
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://theirs:4318"),
            ("OTEL_SERVICE_NAME", "theirs"),
            ("OTEL_TRACES_SAMPLER", "always_off"),
        ]));
        assert_eq!(config.target().unwrap().unwrap().url, "http://mine:4317");
        assert_eq!(config.service_name.as_deref(), Some("mine"));
        assert_eq!(config.ratio(), SampleRatio::ALWAYS);
    }

    #[test]
    fn the_sampler_variable_switches_all_or_nothing() {
        assert_eq!(
            read(&[("OTEL_TRACES_SAMPLER", "always_off")]).ratio(),
            SampleRatio::NEVER
        );
        assert_eq!(
            read(&[("OTEL_TRACES_SAMPLER", "parentbased_always_on")]).ratio(),
            SampleRatio::ALWAYS
        );
    }

    #[test]
    fn values_that_cannot_be_read_are_ignored_and_named() {
        let config = read(&[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "secret"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=%zz"),
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
            ("OTEL_BSP_SCHEDULE_DELAY", "soon"),
            ("OTEL_TRACES_EXPORTER", "jaeger"),
        ]);
        assert_eq!(config.warnings.len(), 6, "{:?}", config.warnings);
        assert!(
            !config
                .warnings
                .iter()
                .any(|warning| warning.contains("secret"))
        );
        assert_eq!(config.ratio(), SampleRatio::default());
    }
}
