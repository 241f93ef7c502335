package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What belongs to nobody: timelines, computes and rows, as the catalog, the directories and the processes have them. */
final class LeftOvers {
    private static final String TEMPLATE = "template";

    private final ServerProcess server;

    LeftOvers(ServerProcess server) {
        this.server = server;
    }

    /** To be asked when no operation is under way. */
    void assertNone(String when) throws IOException {
        assertThat(
                        catalog(
                                "select action || ' ' || coalesce(branch_id, project_id) from operations where status = 'running'"))
                .as("operations under way after %s", when)
                .isEmpty();
        assertThat(catalog("select id || ' ' || state from branches where state not in ('ready', 'deleted')"))
                .as("branches in between after %s", when)
                .isEmpty();
        Set<String> owned = catalog("select timeline_id from branches union select timeline_id from hidden_timelines");
        owned.add(TEMPLATE);
        Set<String> timelines = directories("timelines");
        timelines.remove("boundaries");
        assertThat(timelines).as("timelines after %s", when).isEqualTo(owned);
        assertThat(catalog("select timeline_id from hidden_timelines where kind = 'snapshot'"))
                .as("timelines of snapshots after %s", when)
                .isEqualTo(catalog("select timeline_id from snapshots"));
        assertThat(catalog("select timeline_id from hidden_timelines where kind = 'moment'"))
                .as("moments that nobody looks at after %s", when)
                .isEmpty();
        assertThat(computes())
                .as("running computes after %s", when)
                .isSubsetOf(catalog("select id from endpoints e where exists"
                        + " (select from branches b where b.id = e.branch_id and b.state = 'ready')"));
    }

    /** As {@link #assertNone}, for what a start cleans up: directories that sockets and logs of computes lie in. */
    void assertNoneAfterStart(String when) throws IOException {
        assertNone(when);
        Set<String> directories = directories("run");
        directories.remove("catalog");
        assertThat(directories)
                .as("run directories after %s", when)
                .isSubsetOf(catalog("select id from endpoints union select endpoint_id from hidden_timelines"));
    }

    /** Rows of the catalog, read past the server. */
    Set<String> catalog(String query) {
        Path sockets;
        try (Stream<Path> names = Files.list(server.data().resolve("run/catalog"))) {
            sockets = names.findFirst().orElseThrow();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String found = Programs.psql("host=" + sockets + " user=coppice_admin dbname=postgres", query)
                .text();
        return found.lines().collect(Collectors.toCollection(TreeSet::new));
    }

    private Set<String> directories(String name) throws IOException {
        try (Stream<Path> directories = Files.list(server.data().resolve(name))) {
            return directories
                    .filter(Files::isDirectory)
                    .map(directory -> directory.getFileName().toString())
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }

    /** The endpoints whose postmasters run on this server's data. */
    private Set<String> computes() {
        String run = server.data().resolve("run") + "/ep-";
        return ProcessHandle.allProcesses()
                .map(process -> commandLine(process.pid()))
                .filter(line -> line.contains(run) && line.contains("cluster_name="))
                .map(line -> line.replaceAll("(?s).*cluster_name=(ep-[a-z0-9-]+).*", "$1"))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String commandLine(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/cmdline"));
        } catch (IOException e) {
            return "";
        }
    }
}
