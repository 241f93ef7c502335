package dev.coppice.storage;

import dev.coppice.storage.file.DirectoryEntry;
import dev.coppice.storage.file.FileKind;
import dev.coppice.storage.file.PageConsumer;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

/** A data directory with every file of a timeline's head in it, for a Postgres without the interposer. */
final class Materialized {
    private static final List<String> LOCAL_DIRECTORIES = List.of(
            "pg_notify",
            "pg_subtrans",
            "pg_serial",
            "pg_snapshots",
            "pg_dynshmem",
            "pg_stat_tmp",
            "pg_replslot",
            "pg_tblspc");

    private Materialized() {}

    /** Begins an epoch and lays its data directory out. */
    static Path of(Timeline timeline) throws IOException {
        timeline.beginEpoch(RealPostgres.owner());
        Path data = timeline.layout().directory().resolve("data" + timeline.currentEpoch());
        Files.createDirectory(data);
        for (String directory : timeline.directories()) {
            Files.createDirectories(data.resolve(directory));
        }
        for (String directory : LOCAL_DIRECTORIES) {
            Files.createDirectories(data.resolve(directory));
        }
        copy(timeline, "", data);
        Files.createSymbolicLink(data.resolve("pg_wal"), timeline.layout().wal());
        Files.writeString(data.resolve("postgresql.conf"), "");
        Files.writeString(data.resolve("pg_hba.conf"), "host all all 127.0.0.1/32 trust\n");
        Files.writeString(data.resolve("pg_ident.conf"), "");
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwx------"));
        try (var files = Files.walk(data)) {
            files.forEach(file -> DurableFiles.changeOwner(
                    file, RealPostgres.owner().uid(), RealPostgres.owner().gid()));
        }
        return data;
    }

    /**
     * Does what the interposer would when Postgres declares itself running: journals the control file, once. Later
     * versions name checkpoints whose pages nobody journaled.
     */
    static RealPostgres start(Timeline timeline, String... settings) throws Exception {
        boolean clean = timeline.readFile("global/pg_control").orElseThrow()[16] == 1;
        Path data = of(timeline);
        RealPostgres server = RealPostgres.start(data, settings);
        if (clean) {
            Journaling.to(timeline).put("global/pg_control", Files.readAllBytes(data.resolve("global/pg_control")));
        }
        return server;
    }

    private static void copy(Timeline timeline, String directory, Path data) throws IOException {
        for (DirectoryEntry entry : timeline.list(directory).orElseThrow()) {
            String path = directory.isEmpty() ? entry.name() : directory + "/" + entry.name();
            if (entry.kind() == FileKind.DIRECTORY) {
                copy(timeline, path, data);
            } else {
                copyFile(timeline, path, data.resolve(path));
            }
        }
    }

    private static void copyFile(Timeline timeline, String path, Path target) throws IOException {
        long size = timeline.stat(path).size();
        int blocks = (int) ((size + Timeline.BLOCK_SIZE - 1) / Timeline.BLOCK_SIZE);
        try (FileChannel channel = FileChannel.open(target, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            timeline.readPages(path, 0, blocks, new PageConsumer() {
                @Override
                public void zero(long block) {}

                @Override
                public void page(long block, long stamp, ByteBuffer page) {
                    try {
                        channel.write(page, block * Timeline.BLOCK_SIZE);
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                }
            });
            if (channel.size() > size) {
                channel.truncate(size);
            } else if (channel.size() < size) {
                channel.write(ByteBuffer.allocate(1), size - 1);
            }
        }
    }
}
