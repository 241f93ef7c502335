package dev.coppice.storage.layer;

import dev.coppice.storage.io.FileWrites;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/** Without syncs, for tests that end no machine. */
public class FastWrites extends FileWrites {
    @Override
    public void force(FileChannel channel) {}

    @Override
    public void forceDirectory(Path directory) {}
}
