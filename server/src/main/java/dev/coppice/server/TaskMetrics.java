package dev.coppice.server;

import dev.coppice.common.task.TaskStatistics;
import java.util.Locale;
import java.util.Map;

/** What became of the periodic tasks, in Prometheus's text format 0.0.4. */
final class TaskMetrics {
    private static final double NANOS_PER_SECOND = 1e9;

    private TaskMetrics() {}

    static String text() {
        Map<String, TaskStatistics> tasks = TaskStatistics.all();
        StringBuilder out = new StringBuilder("# TYPE coppice_task_failures_total counter\n");
        tasks.forEach((name, task) -> out.append("coppice_task_failures_total{task=\"")
                .append(name)
                .append("\"} ")
                .append(task.failures())
                .append('\n'));
        out.append("# TYPE coppice_task_last_success_age_seconds gauge\n");
        tasks.forEach((name, task) -> out.append("coppice_task_last_success_age_seconds{task=\"")
                .append(name)
                .append("\"} ")
                .append(String.format(Locale.ROOT, "%.3f", task.sinceSuccessNanos() / NANOS_PER_SECOND))
                .append('\n'));
        return out.toString();
    }
}
