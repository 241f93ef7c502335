package dev.coppice.server;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.Histogram;
import com.codahale.metrics.Meter;
import com.codahale.metrics.Metric;
import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.Snapshot;
import com.codahale.metrics.Timer;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/**
 * Metrics in Prometheus's text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format). {@code proxy.bytes.from-clients}
 * becomes {@code coppice_proxy_bytes_from_clients_total}; timers are summaries in seconds.
 */
final class PrometheusText {
    /** Groups whose last part is a label rather than a part of the name. */
    private static final Map<String, String> LABELS =
            Map.of("proxy.outcomes.", "outcome", "proxy.pool.pins.", "reason");

    private static final double[] QUANTILES = {0.5, 0.95, 0.99, 0.999};
    private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

    private record Series(String name, String label) {
        static Series of(String metric) {
            for (Map.Entry<String, String> group : LABELS.entrySet()) {
                String prefix = group.getKey();
                if (metric.startsWith(prefix)) {
                    String value = metric.substring(prefix.length());
                    return new Series(
                            clean(prefix.substring(0, prefix.length() - 1)), group.getValue() + "=\"" + value + "\"");
                }
            }
            return new Series(clean(metric), "");
        }

        private static String clean(String metric) {
            return "coppice_" + metric.replaceAll("[^a-zA-Z0-9_]", "_").toLowerCase(Locale.ROOT);
        }
    }

    private final StringBuilder out = new StringBuilder();
    private final TreeSet<String> typed = new TreeSet<>();

    private PrometheusText() {}

    static String of(MetricRegistry registry) {
        PrometheusText text = new PrometheusText();
        new TreeMap<>(registry.getMetrics()).forEach(text::append);
        return text.out.toString();
    }

    private void append(String name, Metric metric) {
        Series series = Series.of(name);
        switch (metric) {
            case Timer timer -> summary(series, "_seconds", timer.getSnapshot(), timer.getCount(), NANOS_PER_SECOND);
            case Histogram histogram -> summary(series, "", histogram.getSnapshot(), histogram.getCount(), 1);
            case Meter meter -> line(series, "_total", "counter", "", (double) meter.getCount());
            // A dropwizard counter goes down too.
            case Counter counter -> line(series, "", "gauge", "", (double) counter.getCount());
            case Gauge<?> gauge
            when gauge.getValue() instanceof Number number -> line(series, "", "gauge", "", number.doubleValue());
            default -> {}
        }
    }

    private void summary(Series series, String unit, Snapshot snapshot, long count, double scale) {
        for (double quantile : QUANTILES) {
            line(series, unit, "summary", "quantile=\"" + quantile + "\"", snapshot.getValue(quantile) / scale);
        }
        out.append(series.name).append(unit).append("_count ").append(count).append('\n');
    }

    private void line(Series series, String suffix, String type, String label, double value) {
        String name = series.name + suffix;
        if (typed.add(name)) {
            out.append("# TYPE ").append(name).append(' ').append(type).append('\n');
        }
        String labels = series.label.isEmpty() || label.isEmpty() ? series.label + label : series.label + "," + label;
        out.append(name);
        if (!labels.isEmpty()) {
            out.append('{').append(labels).append('}');
        }
        boolean whole = value == Math.rint(value) && Math.abs(value) < 1e15;
        out.append(' ')
                .append(whole ? Long.toString((long) value) : Double.toString(value))
                .append('\n');
    }
}
