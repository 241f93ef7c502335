package dev.coppice.storage.importing;

import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.file.FileClass;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.journal.JournalSegment;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;

/** Writes the files of a stopped cluster into a journal segment, all with one stamp. */
public final class DirectoryImport {
    private static final int BLOCK = JournalSegment.BLOCK_SIZE;

    private final ImportWriter writer;

    public DirectoryImport(ImportWriter writer) {
        this.writer = writer;
    }

    /** Copies the segments of a cluster's {@code pg_wal}, durably. */
    public static void copyWal(Path pgdata, Path target) throws IOException {
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
    public void run(Path pgdata) throws IOException {
        Files.walkFileTree(pgdata, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes)
                    throws IOException {
                String path = relative(pgdata, directory);
                if (FileClass.of(path) == FileClass.WAL) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                if (!path.isEmpty()) {
                    writer.directory(path);
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
                    case WHOLE -> writer.whole(path, Files.readAllBytes(file));
                    case WAL, LOCAL -> {
                        // WAL is copied; the rest is made anew by each compute.
                    }
                }
                return FileVisitResult.CONTINUE;
            }
        });
        writer.flush();
    }

    private void addPaged(String path, Path file) throws IOException {
        writer.create(path);
        try (InputStream in = Files.newInputStream(file)) {
            long offset = 0;
            byte[] block = in.readNBytes(BLOCK);
            while (block.length > 0) {
                if (isZero(block)) {
                    writer.extend(path, offset + block.length);
                } else {
                    writer.page(path, offset, ByteBuffer.wrap(block));
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
}
