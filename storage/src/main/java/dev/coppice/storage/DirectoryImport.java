package dev.coppice.storage;

import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.journal.EntryCodec;
import dev.coppice.storage.journal.EntryType;
import dev.coppice.storage.journal.JournalSegment;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;

/** Writes the files of a stopped cluster into a journal segment, all with one stamp. */
final class DirectoryImport {
    private static final int BLOCK = JournalSegment.BLOCK_SIZE;

    /** Bytes of entries written at once. */
    private static final int BUFFER = 4 << 20;

    private static final ByteBuffer NO_DATA = ByteBuffer.allocate(0);

    private final JournalSegment segment;
    private final long stamp;
    private final ByteArrayOutputStream buffer = new ByteArrayOutputStream(BUFFER);

    DirectoryImport(JournalSegment segment, long stamp) {
        this.segment = segment;
        this.stamp = stamp;
    }

    /** Copies the segments of a cluster's {@code pg_wal}, durably. */
    static void copyWal(Path pgdata, Path target) throws IOException {
        try (var names = Files.newDirectoryStream(pgdata.resolve("pg_wal"), "0*")) {
            for (Path file : names) {
                Path copy = target.resolve(file.getFileName().toString());
                Files.copy(file, copy);
                DurableFiles.syncData(copy);
            }
        }
        DurableFiles.syncDirectory(target);
    }

    /** Journals everything that a compute would have; the caller syncs. */
    void run(Path pgdata) throws IOException {
        Files.walkFileTree(pgdata, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                String path = relative(pgdata, directory);
                if (FileClass.of(path) == FileClass.WAL) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                if (!path.isEmpty()) {
                    add(EntryType.MKDIR, path, 0, 0, NO_DATA);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                String path = relative(pgdata, file);
                if (!attributes.isRegularFile()) {
                    throw new StorageException("cannot import " + file + ": not a regular file");
                }
                switch (FileClass.of(path)) {
                    case PAGED -> addPaged(path, file);
                    case WHOLE -> add(EntryType.PUT, path, 0, 0, ByteBuffer.wrap(Files.readAllBytes(file)));
                    case WAL, LOCAL -> {
                        // WAL is copied; the rest is made anew by each compute.
                    }
                }
                return FileVisitResult.CONTINUE;
            }
        });
        flush();
    }

    private void addPaged(String path, Path file) throws IOException {
        add(EntryType.CREATE, path, 0, 0, NO_DATA);
        try (InputStream in = Files.newInputStream(file)) {
            long offset = 0;
            byte[] block = in.readNBytes(BLOCK);
            while (block.length > 0) {
                if (isZero(block)) {
                    add(EntryType.EXTEND, path, offset + block.length, 0, NO_DATA);
                } else {
                    add(EntryType.PAGE, path, offset, 0, ByteBuffer.wrap(block));
                }
                offset += block.length;
                block = in.readNBytes(BLOCK);
            }
        }
    }

    private static boolean isZero(byte[] block) {
        for (byte b : block) {
            if (b != 0) {
                return false;
            }
        }
        return true;
    }

    private static String relative(Path pgdata, Path path) {
        return pgdata.relativize(path).toString();
    }

    private void add(EntryType type, String path, long offset, long length, ByteBuffer data) {
        ByteBuffer entry = EntryCodec.encode(type, path, stamp, offset, length, segment.epoch(), data);
        buffer.write(entry.array(), entry.arrayOffset(), entry.limit());
        if (buffer.size() >= BUFFER) {
            flush();
        }
    }

    private void flush() {
        segment.append(ByteBuffer.wrap(buffer.toByteArray()));
        buffer.reset();
    }
}
