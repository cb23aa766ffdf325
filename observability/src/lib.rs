//! Tracing and OTLP pipeline, sampling, and the names of all spans and metrics.
