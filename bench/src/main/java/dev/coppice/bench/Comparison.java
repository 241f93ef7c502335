package dev.coppice.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The figures of the README against vanilla Postgres in one run: {@code bench/run [measurement...] [--option value...]}.
 * Without a name everything is measured.
 */
public final class Comparison {
    /** In this order: those that stop the server or leave much behind come last. */
    private static final Map<String, Measurement> MEASUREMENTS = new LinkedHashMap<>();

    static {
        MEASUREMENTS.put("throughput", new Throughput());
        MEASUREMENTS.put("wake", new Wakes());
        MEASUREMENTS.put("busy-parent", new BusyParent());
        MEASUREMENTS.put("copy", new CopyIn());
        MEASUREMENTS.put("checkpoint", new Checkpoints());
        MEASUREMENTS.put("cold-scan", new ColdScan());
        MEASUREMENTS.put("writes", new WriteAmplification());
        MEASUREMENTS.put("pages", new RandomPages());
        MEASUREMENTS.put("create", new BranchCreation());
        MEASUREMENTS.put("masking", new AnonymizedBranches());
        MEASUREMENTS.put("sandbox", new SandboxCost());
        MEASUREMENTS.put("neighbours", new BadNeighbours());
        MEASUREMENTS.put("branches", new ManyBranches());
    }

    private Comparison() {}

    /** Runs what was asked for and prints one Markdown table. */
    public static void main(String[] args) throws IOException {
        Arguments arguments = Arguments.parse(args);
        List<String> names = new ArrayList<>(arguments.names());
        if (names.isEmpty()) {
            names.addAll(MEASUREMENTS.keySet());
        }
        if (!MEASUREMENTS.keySet().containsAll(names)) {
            throw new IllegalArgumentException("there are " + MEASUREMENTS.keySet() + ", not all of " + names);
        }
        Path work = Path.of(arguments.text("--work")).toAbsolutePath();
        Files.createDirectories(work);
        Path configuration = Files.writeString(
                work.resolve("coppice.yaml"),
                "proxy:\n  listen: 127.0.0.1:5533\napi:\n  listen: 127.0.0.1:5580\n"
                        + "compute:\n  suspend_timeout_seconds: -1\ndisk:\n  max_branch_megabytes: "
                        + arguments.text("--branch-megabytes") + "\n");
        try (CoppiceServer coppice = new CoppiceServer(
                Path.of(arguments.text("--home")).toAbsolutePath(), work.resolve("data"), configuration)) {
            List<String> runAs = runAs();
            Path directory = Files.createDirectory(work.resolve("vanilla"));
            if (!runAs.isEmpty()) {
                Command.run(Map.of(), List.of("chown", computeUser(), directory.toString()));
            }
            try (Vanilla vanilla = new Vanilla(coppice.binaries(), directory, runAs)) {
                Report report = new Report();
                report.begin();
                for (String name : names) {
                    report.measuring(arguments.command(name));
                    Objects.requireNonNull(MEASUREMENTS.get(name))
                            .run(new Stage(arguments, coppice, vanilla, report, work));
                }
            }
        } finally {
            deleteTree(work);
        }
    }

    private static String computeUser() {
        return "coppice";
    }

    private static List<String> runAs() {
        return System.getProperty("user.name", "").equals("root")
                ? List.of("setpriv", "--reuid=" + computeUser(), "--regid=" + computeUser(), "--clear-groups")
                : List.of();
    }

    private static void deleteTree(Path directory) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
