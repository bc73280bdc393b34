//! `/metrics`, in Prometheus' text form.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::header;
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

/// How often histograms are folded into their buckets; between two folds every observation takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// Upper bounds in seconds: from a cached answer to a long poll.
const SECONDS: [f64; 14] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0,
];

/// The process's recorder of metrics.
#[derive(Clone)]
pub(crate) struct Metrics(PrometheusHandle);

impl Metrics {
    /// Installs the recorder and starts its upkeep. To be called once, inside the runtime, and only if some
    /// listener serves the metrics: without a recorder they cost nothing.
    pub(crate) fn install() -> Result<Self, BuildError> {
        let handle = PrometheusBuilder::new()
            .set_buckets(&SECONDS)?
            .install_recorder()?;
        let upkeep = handle.clone();
        tokio::spawn(async move {
            let mut beat = tokio::time::interval(UPKEEP);
            loop {
                beat.tick().await;
                upkeep.run_upkeep();
            }
        });
        Ok(Self(handle))
    }
}

pub(super) fn routes(metrics: Option<Metrics>) -> Router {
    let Some(Metrics(handle)) = metrics else {
        return Router::new();
    };
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Router::new().route("/metrics", get(async move || (content_type, handle.render())))
}
