package dev.coppice.compute;

import dev.coppice.compute.ComputeSpec.Mode;
import dev.coppice.compute.ComputeSpec.Reach;
import dev.coppice.storage.PageService;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts computes so that clients can come in: what a timeline inherited is kept from acting in its parent's name before anybody does, and settings that
 * Postgres does not start with are left out, and named.
 */
final class ComputeStart {
    private static final Logger log = LoggerFactory.getLogger(ComputeStart.class);

    /** What the log names, what else {@code ALTER SYSTEM} left, what the API asked for, and one more that came to light by that. */
    private static final int TRIES_MAX = 5;

    private static final int DEFAULT_MAX_SECONDS = 10;

    private final ComputeLifecycle lifecycle;
    private final PageService pages;
    private final PostgresBinaries binaries;

    /** By endpoint: what its compute runs without. */
    private final Map<String, Map<String, String>> leftOut = new ConcurrentHashMap<>();

    private volatile ComputeService.Admission admission = (_, _, _) -> {};

    private volatile ComputeService.Detacher detacher = _ -> {
        throw new ComputeException("nobody can switch off what was inherited");
    };

    ComputeStart(ComputeLifecycle lifecycle, PageService pages, PostgresBinaries binaries) {
        this.lifecycle = lifecycle;
        this.pages = pages;
        this.binaries = binaries;
    }

    void admission(ComputeService.Admission who) {
        admission = who;
    }

    void detacher(ComputeService.Detacher how) {
        detacher = how;
    }

    /** The settings that an endpoint's compute was started without, with the reason of each. */
    Map<String, String> leftOut(String endpointId) {
        return leftOut.getOrDefault(endpointId, Map.of());
    }

    void forget(String endpointId) {
        leftOut.remove(endpointId);
    }

    /** As {@link ComputeLifecycle#start}. */
    RunningCompute start(ComputeSpec spec) throws InterruptedException {
        Timeline timeline = pages.timeline(spec.timeline());
        Detachment detachment = Detachment.of(timeline);
        if (spec.mode() == Mode.READ_WRITE && spec.reach() != Reach.NONE && detachment.pending()) {
            detach(spec, detachment);
        }
        RunningCompute compute = startWithWhatWorks(spec, timeline);
        if (spec.mode() == Mode.READ_WRITE && spec.reach() != Reach.NONE) {
            try {
                admission.admit(spec.endpointId(), spec.timeline(), compute.address());
            } catch (RuntimeException e) {
                lifecycle.stop(compute);
                throw e;
            }
        }
        return compute;
    }

    private void detach(ComputeSpec spec, Detachment detachment) throws InterruptedException {
        RunningCompute alone = startWithWhatWorks(spec.within(Reach.NONE), pages.timeline(spec.timeline()));
        List<String> switchedOff;
        try {
            switchedOff = detacher.detach(alone.address());
        } catch (RuntimeException e) {
            lifecycle.stop(alone);
            throw e;
        }
        if (!lifecycle.stop(alone)) {
            throw new ComputeException("what timeline " + spec.timeline().value()
                    + " inherited was switched off, but not kept; the next start tries again");
        }
        detachment.done(switchedOff);
        if (!switchedOff.isEmpty()) {
            log.info("Switched off in timeline {}: {}", spec.timeline().value(), switchedOff);
        }
    }

    private RunningCompute startWithWhatWorks(ComputeSpec spec, Timeline timeline) throws InterruptedException {
        Map<String, String> reasons = new TreeMap<>();
        Map<String, String> instead = new HashMap<>();
        for (int tries = 1; ; tries++) {
            try {
                RunningCompute compute = lifecycle.start(spec, instead);
                leftOut.put(spec.endpointId(), Map.copyOf(reasons));
                return compute;
            } catch (StartRefusedException e) {
                Map<String, String> altered = AlteredSettings.of(timeline);
                Map<String, String> asked = spec.settings().postgres();
                Set<String> bad =
                        tries < TRIES_MAX ? BadSettings.find(e.words(), altered, asked, instead.keySet()) : Set.of();
                if (bad.isEmpty()) {
                    throw e;
                }
                for (String name : bad) {
                    String value = altered.getOrDefault(name, asked.getOrDefault(name, ""));
                    String reason = name + " = '" + value + "': " + lastWord(e.words());
                    log.warn("Postgres of {} does not start; trying without {}", spec.endpointId(), reason);
                    reasons.put(name, reason);
                    instead.put(name, standard(name, lifecycle.configured(name)));
                }
            }
        }
    }

    /** The line that says why, without time and process. */
    private static String lastWord(String words) {
        return words.lines()
                .filter(line -> line.contains("FATAL:") || line.contains("PANIC:"))
                .map(line -> line.replaceFirst(".*(?=FATAL:|PANIC:)", ""))
                .findFirst()
                .orElseGet(() -> words.lines().reduce("", (_, last) -> last));
    }

    /** What Postgres takes for a setting that nobody sets. */
    private String standard(String name, String configured) throws InterruptedException {
        if (!configured.isEmpty() || !name.matches("[a-z_]+")) {
            return configured;
        }
        Path empty = lifecycle.run("postgres-defaults").directory();
        try {
            Files.createDirectories(empty);
            Files.writeString(empty.resolve("postgresql.conf"), "");
            // Only as the first argument does -C work for root (src/backend/main/main.c).
            Process process = new ProcessBuilder(binaries.postgres().toString(), "-C", name, "-D", empty.toString())
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            process.getOutputStream().close();
            if (!process.waitFor(DEFAULT_MAX_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return "";
            }
            return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new ComputeException("cannot ask Postgres for the default of " + name, e);
        } finally {
            delete(empty);
        }
    }

    private static void delete(Path directory) {
        try {
            DurableFiles.deleteRecursively(directory);
        } catch (IOException e) {
            log.warn("Cannot delete {}", directory, e);
        }
    }
}
