package job

import "github.com/prometheus/client_golang/prometheus"

// metrics are a Runner's numbers.
type metrics struct {
	jobs    *prometheus.GaugeVec
	ends    *prometheus.CounterVec
	retries *prometheus.CounterVec
	panics  *prometheus.CounterVec
	stucks  *prometheus.CounterVec
}

func newMetrics() *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "tarn", Subsystem: "job", Name: name, Help: help}, labels)
	}
	return &metrics{
		jobs: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "tarn", Subsystem: "job", Name: "running",
			Help: "Jobs that this process runs now."}, []string{"kind"}),
		ends:    counter("ended_total", "Jobs that ended, by their last state.", "kind", "state"),
		retries: counter("retries_total", "Works begun again after a passing failure.", "kind"),
		panics:  counter("panics_total", "Panics of works, recovered.", "kind"),
		stucks:  counter("stuck_total", "Works ended for want of progress, and begun again.", "kind"),
	}
}

func (m *metrics) running(k Kind, by float64) { m.jobs.WithLabelValues(string(k)).Add(by) }
func (m *metrics) ended(k Kind, s State)      { m.ends.WithLabelValues(string(k), string(s)).Inc() }
func (m *metrics) retried(k Kind)             { m.retries.WithLabelValues(string(k)).Inc() }
func (m *metrics) panicked(k Kind)            { m.panics.WithLabelValues(string(k)).Inc() }
func (m *metrics) stuck(k Kind)               { m.stucks.WithLabelValues(string(k)).Inc() }

// Collectors are the Runner's metrics, to be registered by whoever serves them.
func (r *Runner) Collectors() []prometheus.Collector {
	return []prometheus.Collector{r.metrics.jobs, r.metrics.ends, r.metrics.retries, r.metrics.panics, r.metrics.stucks}
}
