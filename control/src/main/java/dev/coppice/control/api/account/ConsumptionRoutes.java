package dev.coppice.control.api.account;

import dev.coppice.control.api.server.Call;
import dev.coppice.control.api.server.Caller;
import dev.coppice.control.api.server.Reply;
import dev.coppice.control.api.server.Routes;
import dev.coppice.control.api.view.Account;
import dev.coppice.control.api.view.Pages;
import dev.coppice.control.api.view.Views;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.Consumption;
import dev.coppice.control.catalog.model.Consumption.Hour;
import dev.coppice.control.catalog.model.Consumption.Used;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.meter.ConsumptionMeter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** What was used, by hour, day or month: of the account, of projects, of branches. */
public final class ConsumptionRoutes {
    private static final int PAGE_DEFAULT = 10;
    private static final long MILLIS = 1000;

    private final Inventory inventory;
    private final ConsumptionMeter meter;

    public ConsumptionRoutes(Inventory inventory, ConsumptionMeter meter) {
        this.inventory = inventory;
        this.meter = meter;
    }

    record Timeframe(
            Instant timeframeStart,
            Instant timeframeEnd,
            long activeTimeSeconds,
            long computeTimeSeconds,
            long writtenDataBytes,
            long syntheticStorageSizeBytes,
            long dataStorageBytesHour) {}

    record Period(String periodId, String periodPlan, Instant periodStart, Instant periodEnd, List<?> consumption) {}

    record OfAccount(List<Period> periods) {}

    record OfProject(String projectId, List<Period> periods) {}

    record OfBranch(String projectId, String branchId, List<Period> periods) {}

    record Projects(List<OfProject> projects, Views.@Nullable Pagination pagination) {}

    record Branches(List<OfBranch> branches, Views.@Nullable Pagination pagination) {}

    record Metrics(Instant timeframeStart, Instant timeframeEnd, List<Metric> metrics) {}

    record Metric(String metricName, long value) {}

    /** How long a line of the answer is. */
    private enum Granularity {
        HOURLY {
            @Override
            Instant begin(Instant time) {
                return time.truncatedTo(ChronoUnit.HOURS);
            }

            @Override
            Instant next(Instant begin) {
                return begin.plus(1, ChronoUnit.HOURS);
            }
        },
        DAILY {
            @Override
            Instant begin(Instant time) {
                return time.truncatedTo(ChronoUnit.DAYS);
            }

            @Override
            Instant next(Instant begin) {
                return begin.plus(1, ChronoUnit.DAYS);
            }
        },
        MONTHLY {
            @Override
            Instant begin(Instant time) {
                return at(time).withDayOfMonth(1).toInstant();
            }

            @Override
            Instant next(Instant begin) {
                return at(begin).plusMonths(1).toInstant();
            }

            private ZonedDateTime at(Instant time) {
                return time.atZone(ZoneOffset.UTC).truncatedTo(ChronoUnit.DAYS);
            }
        };

        abstract Instant begin(Instant time);

        abstract Instant next(Instant begin);
    }

    /** What is asked for, checked. */
    private record Range(Instant from, Instant to, Granularity granularity) {
        static Range of(Call call) {
            Granularity granularity;
            String text = call.requiredQuery("granularity");
            try {
                granularity = Granularity.valueOf(text.toUpperCase(Locale.ROOT));
            } catch (IllegalArgumentException e) {
                throw new ControlException(
                        ControlException.Kind.INVALID, "granularity: must be hourly, daily or monthly", e);
            }
            Instant from = granularity.begin(call.requiredTime("from"));
            Instant asked = call.requiredTime("to");
            Instant begin = granularity.begin(asked);
            Instant to = begin.equals(asked) ? asked : granularity.next(begin);
            if (!from.isBefore(to)) {
                throw ControlException.invalid("to: must be after from");
            }
            return new Range(from, to, granularity);
        }
    }

    public void register(Routes routes) {
        routes.openToProjectKeys(
                "/consumption_history/projects",
                "/consumption_history/v2/projects",
                "/consumption_history/v2/branches");
        routes.get("/consumption_history/account", this::account);
        routes.get("/consumption_history/projects", call -> projects(call, false));
        routes.get("/consumption_history/v2/projects", call -> projects(call, true));
        routes.get("/consumption_history/v2/branches", this::branches);
    }

    private Reply account(Call call) {
        Range range = Range.of(call);
        List<Hour> hours = meter.history(range.from(), range.to());
        return Reply.ok(new OfAccount(List.of(period(Account.USER, range, hours, null))));
    }

    private Reply projects(Call call, boolean second) {
        Range range = Range.of(call);
        List<String> metrics = second ? metrics(call) : null;
        Pages<Project> page = page(call);
        List<Hour> hours = meter.history(range.from(), range.to());
        return Reply.ok(new Projects(
                page.items().stream()
                        .map(project -> new OfProject(
                                project.id(),
                                List.of(period(
                                        project.id(),
                                        range,
                                        only(hours, hour -> hour.projectId().equals(project.id())),
                                        metrics))))
                        .toList(),
                pagination(page)));
    }

    private Reply branches(Call call) {
        Range range = Range.of(call);
        List<String> metrics = metrics(call);
        Set<String> wanted = new HashSet<>(call.queryList("branch_ids"));
        Pages<Project> page = page(call);
        Set<String> projects = new HashSet<>();
        page.items().forEach(project -> projects.add(project.id()));
        Map<String, List<Hour>> byBranch = new TreeMap<>();
        for (Hour hour : meter.history(range.from(), range.to())) {
            boolean ofBranch = !hour.branchId().equals(Consumption.WHOLE_PROJECT);
            if (ofBranch
                    && projects.contains(hour.projectId())
                    && (wanted.isEmpty() || wanted.contains(hour.branchId()))) {
                byBranch.computeIfAbsent(hour.branchId(), _ -> new ArrayList<>())
                        .add(hour);
            }
        }
        return Reply.ok(new Branches(
                byBranch.entrySet().stream()
                        .map(entry -> new OfBranch(
                                entry.getValue().getFirst().projectId(),
                                entry.getKey(),
                                List.of(period(entry.getKey(), range, entry.getValue(), metrics))))
                        .toList(),
                pagination(page)));
    }

    private static List<String> metrics(Call call) {
        List<String> metrics = call.queryList("metrics");
        if (metrics.isEmpty()) {
            throw ControlException.invalid("metrics: is missing; this server has compute_unit_seconds, active_seconds,"
                    + " written_data_bytes and, of projects, storage_bytes_hour");
        }
        return metrics;
    }

    private Pages<Project> page(Call call) {
        Set<String> wanted = new HashSet<>(call.queryList("project_ids"));
        Caller caller = call.caller();
        List<Project> projects = inventory.projects().stream()
                .filter(project -> caller.sees(project.id()) && (wanted.isEmpty() || wanted.contains(project.id())))
                .toList();
        return Pages.cut(
                projects,
                project -> Pages.Position.of(project.createdAt(), project.id()),
                false,
                call.limit(PAGE_DEFAULT),
                call.query("cursor"));
    }

    private static Views.@Nullable Pagination pagination(Pages<Project> page) {
        return page.last() == null ? null : new Views.Pagination(page.last(), null, null, null);
    }

    private static List<Hour> only(List<Hour> hours, Predicate<Hour> which) {
        return hours.stream().filter(which).toList();
    }

    /** @param metrics which, in the second form of the answer; absent = the first form */
    private static Period period(String of, Range range, List<Hour> hours, @Nullable List<String> metrics) {
        Map<Instant, List<Hour>> frames = new TreeMap<>();
        for (Hour hour : hours) {
            frames.computeIfAbsent(range.granularity().begin(hour.hour()), _ -> new ArrayList<>())
                    .add(hour);
        }
        List<Object> lines = new ArrayList<>();
        frames.forEach((begin, inFrame) -> {
            Timeframe frame = frame(begin, range.granularity().next(begin), inFrame);
            lines.add(metrics == null ? frame : metrics(frame, metrics));
        });
        return new Period(
                UUID.nameUUIDFromBytes((of + range.from()).getBytes(StandardCharsets.UTF_8))
                        .toString(),
                Account.PLAN,
                range.from(),
                range.to(),
                lines);
    }

    private static Timeframe frame(Instant begin, Instant end, List<Hour> hours) {
        Used used = hours.stream().map(Hour::used).reduce(Used.NOTHING, Used::plus);
        Map<String, Long> lastStorage = new TreeMap<>();
        long storageHours = 0;
        for (Hour hour : hours) {
            if (hour.branchId().equals(Consumption.WHOLE_PROJECT)) {
                lastStorage.put(hour.projectId(), hour.storageBytes());
                storageHours += hour.storageBytes();
            }
        }
        return new Timeframe(
                begin,
                end,
                used.activeMillis() / MILLIS,
                used.computeMillis() / MILLIS,
                used.writtenBytes(),
                lastStorage.values().stream().mapToLong(Long::longValue).sum(),
                storageHours);
    }

    /** Those asked for that there are: a figure that nobody measured is left out rather than made up. */
    private static Metrics metrics(Timeframe frame, List<String> asked) {
        Map<String, Long> known = Map.of(
                "compute_unit_seconds", frame.computeTimeSeconds(),
                "active_seconds", frame.activeTimeSeconds(),
                "written_data_bytes", frame.writtenDataBytes(),
                "storage_bytes_hour", frame.dataStorageBytesHour());
        List<Metric> metrics = new ArrayList<>();
        for (String name : asked) {
            Long value = known.get(name);
            if (value != null) {
                metrics.add(new Metric(name, value));
            }
        }
        return new Metrics(frame.timeframeStart(), frame.timeframeEnd(), metrics);
    }
}
