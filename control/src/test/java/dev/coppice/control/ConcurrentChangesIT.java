package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.control.ControlFixture.Answer;
import dev.coppice.control.catalog.Steps;
import dev.coppice.control.deletion.RecoveryWindow;
import dev.coppice.control.ephemeral.TimeTravel;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Two requests that change the same things at the same time: both have their effect, or one is told that something else is
 * under way. What is answered is what the catalog has: after a restart it is the same.
 */
class ConcurrentChangesIT {
    private static final int CONFLICT = 409;
    private static final int LOCKED = 423;

    private final long seed = Long.getLong("coppice.seed", System.nanoTime());
    private final Random random = new Random(seed);

    private static ControlFixture fixture;
    private static ProjectFixture project;
    private static String first;
    private static String second;
    private static String endpoint;
    private static String snapshot;

    @BeforeAll
    static void open() throws Exception {
        fixture = new ControlFixture(-1, new TimeTravel.Limits(30, 8), new RecoveryWindow(3_600, 3_600), Steps.NONE);
        project = new ProjectFixture(fixture, "pairs");
        first = project.created("first");
        second = project.created("second");
        endpoint = project.endpointOf(project.main);
        snapshot = fixture.post(project.base + "/branches/" + project.main + "/snapshot", "")
                .text("/snapshot/id");
        assertThat(snapshot).isNotEmpty();
    }

    @AfterAll
    static void close() throws Exception {
        fixture.close();
    }

    /**
     * One request, with a value of its own.
     *
     * @param path where its effect is seen, or null when the answer is enough
     */
    private record Change(
            String name, String method, String url, String body, String path, String pointer, String value) {
        Answer send() {
            return fixture.call(method, url, body);
        }

        String shown() {
            return fixture.get(path).body().at(pointer).asString();
        }
    }

    @Test
    void two_at_a_time() throws Exception {
        rounds(60);
    }

    @Test
    @Tag("long")
    void two_at_a_time_for_long() throws Exception {
        int rounds = Integer.getInteger("coppice.pairs", 0);
        Assumptions.assumeTrue(rounds > 0, "-Dcoppice.pairs=1000 says how many rounds");
        rounds(rounds);
    }

    private void rounds(int rounds) throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int round = 0; round < rounds; round++) {
                List<BiFunction<Integer, String, Change>> kinds = kinds();
                Change one = kinds.remove(random.nextInt(kinds.size())).apply(2 * round + 1, "a");
                Change other = kinds.remove(random.nextInt(kinds.size())).apply(2 * round + 2, "b");
                round("round " + round + " of seed " + seed + ": " + one + " and " + other, threads, one, other);
            }
        }
        restarted();
    }

    private static void round(String what, ExecutorService threads, Change one, Change other) throws Exception {
        CyclicBarrier start = new CyclicBarrier(2);
        Future<Answer> a = threads.submit(together(start, one));
        Future<Answer> b = threads.submit(together(start, other));
        boolean oneDone = done(what, a.get(60, TimeUnit.SECONDS));
        boolean otherDone = done(what, b.get(60, TimeUnit.SECONDS));
        assertThat(oneDone || otherDone).as(what + ": neither was done").isTrue();
        if (oneDone) {
            assertThat(one.shown()).as(what).isEqualTo(one.value);
        }
        if (otherDone) {
            assertThat(other.shown()).as(what).isEqualTo(other.value);
        }
    }

    private static Callable<Answer> together(CyclicBarrier start, Change change) {
        return () -> {
            start.await();
            return change.send();
        };
    }

    private static boolean done(String what, Answer answer) {
        if (answer.status() == CONFLICT || answer.status() == LOCKED) {
            assertThat(answer.text("/message")).as(what).isNotEmpty();
            return false;
        }
        assertThat(answer.status()).as(what + ": " + answer.body()).isBetween(200, 201);
        return true;
    }

    /** What memory says is what the catalog says. */
    private static void restarted() throws Exception {
        List<String> before = everything();
        fixture.shutDown();
        fixture.open();
        assertThat(everything()).isEqualTo(before);
    }

    private static List<String> everything() {
        List<String> all = new ArrayList<>();
        for (String path : List.of("", "/branches/" + first, "/branches/" + second, "/endpoints/" + endpoint)) {
            var body = fixture.get(project.base + path).body();
            for (String pointer : List.of(
                    "/project/name",
                    "/project/history_retention_seconds",
                    "/project/settings",
                    "/project/default_endpoint_settings",
                    "/branch/name",
                    "/branch/protected",
                    "/branch/expires_at",
                    "/branch/default",
                    "/endpoint/name",
                    "/endpoint/suspend_timeout_seconds")) {
                all.add(path + pointer + " " + body.at(pointer));
            }
        }
        return all;
    }

    private static List<BiFunction<Integer, String, Change>> kinds() {
        List<BiFunction<Integer, String, Change>> kinds = new ArrayList<>();
        String base = project.base;
        kinds.add((n, who) -> project("name", "{\"name\":\"p" + n + "\"}", "/project/name", "p" + n));
        kinds.add((n, who) -> project(
                "retention",
                "{\"history_retention_seconds\":" + (3_600 + n) + "}",
                "/project/history_retention_seconds",
                "" + (3_600 + n)));
        for (String quota : List.of("active_time_seconds", "compute_time_seconds", "written_data_bytes")) {
            kinds.add((n, who) -> project(
                    quota,
                    "{\"settings\":{\"quota\":{\"" + quota + "\":" + (1L << 40) + n + "}}}",
                    "/project/settings/quota/" + quota,
                    "" + (1L << 40) + n));
        }
        kinds.add((n, who) -> project(
                "suspend timeout",
                "{\"default_endpoint_settings\":{\"suspend_timeout_seconds\":" + (60 + n) + "}}",
                "/project/default_endpoint_settings/suspend_timeout_seconds",
                "" + (60 + n)));
        kinds.add((n, who) -> branch("rename", first, "{\"name\":\"first" + n + "\"}", "/branch/name", "first" + n));
        kinds.add((n, who) -> branch("rename", second, "{\"name\":\"second" + n + "\"}", "/branch/name", "second" + n));
        kinds.add((n, who) -> branch(
                "protect", first, "{\"protected\":" + (n % 3 == 0) + "}", "/branch/protected", "" + (n % 3 == 0)));
        kinds.add((n, who) -> {
            String end = Instant.now()
                    .truncatedTo(ChronoUnit.SECONDS)
                    .plusSeconds(86_400 + n)
                    .toString();
            return branch("expire", second, "{\"expires_at\":\"" + end + "\"}", "/branch/expires_at", end);
        });
        kinds.add((n, who) -> branch(
                "default", n % 2 == 0 ? first : project.main, "POST", "/set_as_default", "/branch/default", "true"));
        kinds.add((n, who) -> new Change(
                "endpoint timeout",
                "PATCH",
                base + "/endpoints/" + endpoint,
                "{\"endpoint\":{\"suspend_timeout_seconds\":" + (100 + n) + "}}",
                base + "/endpoints/" + endpoint,
                "/endpoint/suspend_timeout_seconds",
                "" + (100 + n)));
        kinds.add((n, who) -> new Change(
                "endpoint name",
                "PATCH",
                base + "/endpoints/" + endpoint,
                "{\"endpoint\":{\"name\":\"e" + n + "\"}}",
                base + "/endpoints/" + endpoint,
                "/endpoint/name",
                "e" + n));
        kinds.add((n, who) -> new Change(
                "snapshot name",
                "PATCH",
                base + "/snapshots/" + snapshot,
                "{\"snapshot\":{\"name\":\"s" + n + "\"}}",
                base + "/snapshots",
                "/snapshots/0/name",
                "s" + n));
        kinds.add((n, who) -> {
            String end = Instant.now()
                    .truncatedTo(ChronoUnit.SECONDS)
                    .plusSeconds(86_400 + n)
                    .toString();
            return new Change(
                    "snapshot expiry",
                    "PATCH",
                    base + "/snapshots/" + snapshot,
                    "{\"snapshot\":{\"expires_at\":\"" + end + "\"}}",
                    base + "/snapshots",
                    "/snapshots/0/expires_at",
                    end);
        });
        kinds.add((n, who) -> new Change(
                "new branch",
                "POST",
                base + "/branches",
                "{\"branch\":{\"name\":\"new" + n + "\",\"parent_id\":\"" + first + "\",\"expires_at\":\""
                        + Instant.now().truncatedTo(ChronoUnit.SECONDS).plusSeconds(3_600) + "\"}}",
                base + "/branches?search=new" + n,
                "/branches/0/name",
                "new" + n));
        return kinds;
    }

    private static Change project(String what, String body, String pointer, String value) {
        return new Change(
                "project " + what, "PATCH", project.base, "{\"project\":" + body + "}", project.base, pointer, value);
    }

    private static Change branch(String what, String id, String body, String pointer, String value) {
        String url = project.base + "/branches/" + id;
        return new Change("branch " + what, "PATCH", url, "{\"branch\":" + body + "}", url, pointer, value);
    }

    private static Change branch(String what, String id, String method, String action, String pointer, String value) {
        String url = project.base + "/branches/" + id;
        return new Change("branch " + what, method, url + action, "", url, pointer, value);
    }
}
