package dev.coppice.control.catalog;

import dev.coppice.compute.ComputeUser;
import dev.coppice.compute.PostgresBinaries;
import dev.coppice.compute.sandbox.Sandbox;
import dev.coppice.compute.sandbox.SandboxPolicy;
import dev.coppice.control.error.ControlException;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The catalog's files: a cluster made by initdb once, and a configuration written at each start by nobody else.
 *
 * @param binaries directory with the Postgres programs
 * @param data the cluster
 * @param run the directory of the socket and of logs
 */
record CatalogCluster(
        Path binaries, ComputeUser user, Sandbox sandbox, Path data, Path run, int sharedBuffersMegabytes) {
    /** The cluster's superuser, who logs in as the operating system user that this process runs as. */
    static final String ADMIN = "coppice_admin";

    /** sun_path of Linux holds 107 bytes and a zero. */
    private static final int SOCKET_PATH_MAX_BYTES = 107;

    private static final Duration INITDB_TIMEOUT = Duration.ofMinutes(2);

    Path socket() {
        return run.resolve(".s.PGSQL.5432");
    }

    /** Makes the cluster if it is not there, and writes its configuration. */
    void layOut() throws IOException {
        if (socket().toString().getBytes(StandardCharsets.UTF_8).length > SOCKET_PATH_MAX_BYTES) {
            throw new ControlException(
                    ControlException.Kind.INVALID,
                    "the data directory's path is too long: a Unix socket's path may have " + SOCKET_PATH_MAX_BYTES
                            + " bytes, and " + socket() + " has more");
        }
        user.privateDirectory(run);
        if (!Files.exists(data.resolve("PG_VERSION"))) {
            initialize();
        }
        writeConfiguration();
    }

    /** Makes the cluster beside its place and renames it, so a half-made one is never taken for a whole one. */
    private void initialize() throws IOException {
        Path fresh = data.resolveSibling("catalog.new");
        deleteTree(fresh);
        user.privateDirectory(fresh);
        List<String> command = command(
                fresh,
                binaries.resolve("initdb").toString(),
                "--pgdata=" + fresh,
                "--username=" + ADMIN,
                "--auth=peer",
                "--encoding=UTF8",
                "--locale=C",
                "--no-instructions");
        Path output = run.resolve("initdb.log");
        Process process = Programs.start(command, output);
        if (!Programs.waitFor(process.toHandle(), INITDB_TIMEOUT) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new ControlException(
                    ControlException.Kind.UNAVAILABLE, "initdb of the catalog failed:\n" + Programs.tail(output));
        }
        // An empty directory in the place is what an administrator may have prepared; anything else makes this fail.
        Files.move(fresh, data, StandardCopyOption.ATOMIC_MOVE);
        DurableFiles.syncDirectory(Objects.requireNonNull(data.getParent()));
    }

    /** Starts a program that reaches nothing but the cluster in a directory, and its sockets. */
    List<String> command(Path cluster, String... program) {
        return sandbox.ownCommand(
                user,
                SandboxPolicy.of(List.of(PostgresBinaries.installation(binaries)), cluster, run),
                Map.of("PATH", "/usr/bin:/bin", "LC_ALL", "C", "TZ", "UTC", "TMPDIR", run.toString()),
                List.of(program));
    }

    private void writeConfiguration() throws IOException {
        String settings = """
                # Written by Coppice at each start.
                listen_addresses = ''
                unix_socket_directories = '%s'
                unix_socket_permissions = 0777
                port = 5432
                max_connections = 20
                shared_buffers = %dMB
                fsync = on
                synchronous_commit = on
                full_page_writes = on
                wal_level = minimal
                max_wal_senders = 0
                max_wal_size = 64MB
                min_wal_size = 32MB
                max_worker_processes = 0
                max_parallel_workers = 0
                max_parallel_workers_per_gather = 0
                max_logical_replication_workers = 0
                autovacuum_max_workers = 1
                huge_pages = off
                dynamic_shared_memory_type = mmap
                jit = off
                timezone = 'UTC'
                log_timezone = 'UTC'
                restart_after_crash = on
                log_min_messages = warning
                """.formatted(run.toString().replace("'", "''"), sharedBuffersMegabytes);
        write("postgresql.conf", settings);
        write("pg_hba.conf", "local all " + ADMIN + " peer map=coppice\n");
        write("pg_ident.conf", "coppice " + quote(System.getProperty("user.name")) + " " + ADMIN + "\n");
    }

    private static String quote(String identifier) {
        return '"' + identifier.replace("\"", "\"\"") + '"';
    }

    private void write(String name, String content) throws IOException {
        Path temporary = data.resolve(name + ".new");
        Files.writeString(temporary, content);
        user.own(temporary);
        Files.move(temporary, data.resolve(name), StandardCopyOption.ATOMIC_MOVE);
    }

    private static void deleteTree(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> paths = Files.walk(directory)) {
            for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
