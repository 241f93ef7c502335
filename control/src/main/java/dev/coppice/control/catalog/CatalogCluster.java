package dev.coppice.control.catalog;

import dev.coppice.compute.ComputeException;
import dev.coppice.compute.ComputeUser;
import dev.coppice.compute.PostgresBinaries;
import dev.coppice.compute.RunDirectory;
import dev.coppice.compute.sandbox.Sandbox;
import dev.coppice.compute.sandbox.SandboxPolicy;
import dev.coppice.control.error.ControlException;
import dev.coppice.storage.io.DirectoryTree;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.io.UntrustedDirectory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The catalog's files: a cluster made by initdb once, and a configuration written at each start by nobody else.
 *
 * @param binaries directory with the Postgres programs
 * @param data the cluster
 * @param interposer lets Postgres's programs run as a user without a name
 * @param run the directory of the socket's
 * @param logs of logs; the server's alone
 */
record CatalogCluster(
        Path binaries,
        Path interposer,
        ComputeUser user,
        Sandbox sandbox,
        Path data,
        Path run,
        Path logs,
        int sharedBuffersMegabytes) {
    /** The cluster's superuser, who logs in as the operating system user that this process runs as. */
    static final String ADMIN = "coppice_admin";

    private static final Duration INITDB_TIMEOUT = Duration.ofMinutes(2);

    /** Makes the cluster if it is not there, and gives it to its user. */
    void layOut() throws IOException {
        DurableFiles.createPrivateDirectory(logs);
        Optional<UntrustedDirectory> there = UntrustedDirectory.openIfThere(data);
        if (there.isEmpty()) {
            initialize();
            return;
        }
        try (UntrustedDirectory cluster = there.get()) {
            if (cluster.look("PG_VERSION").isEmpty()) {
                initialize();
            } else if (cluster.owner() != user.uid()) {
                // Of a version before, or of a copy.
                DirectoryTree.giveTo(data, user.uid(), user.gid());
            }
        }
    }

    /** Whether what runs in it runs as its user. */
    boolean isUsers() throws IOException {
        Optional<UntrustedDirectory> there = UntrustedDirectory.openIfThere(data);
        if (there.isEmpty()) {
            return false;
        }
        try (UntrustedDirectory cluster = there.get()) {
            return cluster.owner() == user.uid();
        }
    }

    /** The names in {@code run/catalog/} at the last start; empty when there are none. */
    Optional<Path> socketDirectory() throws IOException {
        if (!Files.isDirectory(run, LinkOption.NOFOLLOW_LINKS)) {
            return Optional.empty();
        }
        try (Stream<Path> names = Files.list(run)) {
            return names.filter(each -> Files.isDirectory(each, LinkOption.NOFOLLOW_LINKS))
                    .findFirst();
        }
    }

    /**
     * Ready for a start: a directory for the socket, and the configuration.
     *
     * @param before of the last start of this server, whose clients know it; empty = a new one
     */
    Path prepare(Optional<Path> before) throws IOException {
        Path sockets;
        try {
            if (before.isPresent()) {
                sockets = before.get();
                new RunDirectory(run).prepareAgain(user, sockets);
            } else {
                sockets = new RunDirectory(run).prepare(user).directory();
            }
        } catch (ComputeException e) {
            throw new ControlException(ControlException.Kind.INVALID, String.valueOf(e.getMessage()), e);
        }
        writeConfiguration(sockets);
        return sockets;
    }

    Path socketIn(Path sockets) {
        return sockets.resolve(".s.PGSQL.5432");
    }

    /** The first bytes of a file of the cluster; empty when it is not there. */
    Optional<String> head(String name, int limit) throws IOException {
        try (UntrustedDirectory cluster = UntrustedDirectory.open(data)) {
            return Optional.of(new String(cluster.head(name, limit), StandardCharsets.ISO_8859_1));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
    }

    void delete(String name) throws IOException {
        try (UntrustedDirectory cluster = UntrustedDirectory.open(data)) {
            cluster.delete(name);
        }
    }

    /** Makes the cluster beside its place and renames it, so a half-made one is never taken for a whole one. */
    private void initialize() throws IOException {
        Path fresh = data.resolveSibling("catalog.new");
        DirectoryTree.delete(fresh);
        user.privateDirectory(fresh);
        List<String> command = command(
                fresh,
                fresh,
                binaries.resolve("initdb").toString(),
                "--pgdata=" + fresh,
                "--username=" + ADMIN,
                "--auth=peer",
                "--encoding=UTF8",
                "--locale=C",
                "--no-instructions");
        Path output = logs.resolve("initdb.log");
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
    List<String> command(Path cluster, Path sockets, String... program) {
        return sandbox.ownCommand(
                user,
                SandboxPolicy.of(List.of(PostgresBinaries.installation(binaries), interposer), cluster, sockets),
                // The library knows a name for a user that passwd(5) does not have, which initdb wants to see.
                Map.of(
                        "PATH",
                        "/usr/bin:/bin",
                        "LC_ALL",
                        "C",
                        "TZ",
                        "UTC",
                        "TMPDIR",
                        sockets.toString(),
                        "LD_PRELOAD",
                        interposer.toString()),
                List.of(program));
    }

    private void writeConfiguration(Path sockets) throws IOException {
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
                """.formatted(sockets.toString().replace("'", "''"), sharedBuffersMegabytes);
        write("postgresql.conf", settings);
        write("pg_hba.conf", "local all " + ADMIN + " peer map=coppice\n");
        write("pg_ident.conf", "coppice " + quote(System.getProperty("user.name")) + " " + ADMIN + "\n");
    }

    private static String quote(String identifier) {
        return '"' + identifier.replace("\"", "\"\"") + '"';
    }

    private void write(String name, String content) throws IOException {
        try (UntrustedDirectory cluster = UntrustedDirectory.open(data)) {
            cluster.replace(name, content.getBytes(StandardCharsets.UTF_8), user.uid(), user.gid());
        }
    }
}
