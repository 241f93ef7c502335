package dev.coppice.storage.layer.store;

import dev.coppice.common.TimelineId;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.io.DurableFiles;
import dev.coppice.storage.io.FileWrites;
import dev.coppice.storage.io.OpenFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Layers and manifests in {@code <timelines>/<id>/layers}; the directory appears with the first of them.
 *
 * <p>Names: {@code <name>.layer}, {@code manifest-<version>}, and {@code <anything>.new} for what is not finished. The
 * manifest is the one with the highest version. A version is created by link(2), which only one of two writers can do;
 * the older ones are removed afterwards, so a writer that links a version below the highest one lost.
 */
public final class LocalLayerStore implements LayerStore {
    private static final String LAYER_SUFFIX = ".layer";
    private static final String TEMPORARY_SUFFIX = ".new";
    private static final Pattern LAYER_NAME = Pattern.compile("[a-z0-9-]{1,200}");
    private static final Pattern MANIFEST_NAME = Pattern.compile("manifest-([0-9]{1,18})");

    private final Path timelines;
    private final OpenFiles files;
    private final FileWrites writes;

    /**
     * A store that creates nothing yet.
     *
     * @param timelines has a directory for each timeline, made by others
     */
    public LocalLayerStore(Path timelines, OpenFiles files, FileWrites writes) {
        this.timelines = timelines;
        this.files = files;
        this.writes = writes;
    }

    @Override
    public Path temporary(TimelineId timeline, String name) {
        return create(timeline).resolve(checked(name) + LAYER_SUFFIX + TEMPORARY_SUFFIX);
    }

    /** Crash argument: synced under a temporary name, then renamed, then the directory is synced. */
    @Override
    public void put(TimelineId timeline, String name, Path file) {
        Path target = layer(timeline, name);
        if (Files.exists(target)) {
            throw new StorageException("layer " + target + " exists already");
        }
        try {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                writes.force(channel);
            }
            writes.rename(file, target);
            writes.forceDirectory(create(timeline));
        } catch (IOException e) {
            // One of both is there, and nobody knows of it yet.
            discard(file, e);
            discard(target, e);
            throw new StorageException("cannot store layer " + target + ": " + e.getMessage(), e);
        }
    }

    @Override
    public int read(TimelineId timeline, String name, long offset, ByteBuffer target) {
        return read(layer(timeline, name), offset, target);
    }

    @Override
    public LayerBytes bytes(TimelineId timeline, String name) {
        Path file = layer(timeline, name);
        return (offset, target) -> read(file, offset, target);
    }

    private int read(Path file, long offset, ByteBuffer target) {
        try {
            return files.read(file, offset, target);
        } catch (StorageException e) {
            if (e.getCause() instanceof NoSuchFileException) {
                throw new NoSuchLayerException("there is no layer " + file, e);
            }
            throw e;
        }
    }

    @Override
    public List<String> list(TimelineId timeline) {
        return names(timeline).stream()
                .filter(name -> name.endsWith(LAYER_SUFFIX))
                .map(name -> name.substring(0, name.length() - LAYER_SUFFIX.length()))
                .sorted()
                .toList();
    }

    @Override
    public long storedBytes(TimelineId timeline) {
        long bytes = 0;
        for (String name : names(timeline)) {
            try {
                bytes += Files.size(directory(timeline).resolve(name));
            } catch (NoSuchFileException e) {
                // Deleted since it was listed: occupies nothing.
            } catch (IOException e) {
                throw new StorageException(
                        "cannot see the size of " + directory(timeline).resolve(name), e);
            }
        }
        return bytes;
    }

    @Override
    public void delete(TimelineId timeline, String name) {
        Path file = layer(timeline, name);
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new StorageException("cannot delete layer " + file, e);
        } finally {
            files.forget(file);
        }
    }

    @Override
    public Optional<StoredManifest> manifest(TimelineId timeline) {
        while (true) {
            long version = newestVersion(timeline);
            if (version == 0) {
                return Optional.empty();
            }
            try {
                return Optional.of(new StoredManifest(version, Files.readAllBytes(manifest(timeline, version))));
            } catch (NoSuchFileException e) {
                // Replaced since it was listed: look again.
            } catch (IOException e) {
                throw new StorageException("cannot read " + manifest(timeline, version), e);
            }
        }
    }

    /** Crash argument: synced under a temporary name, then linked, then the directory is synced; older ones go last. */
    @Override
    public void putManifest(TimelineId timeline, long expectedVersion, byte[] content) {
        requireNewest(timeline, expectedVersion);
        Path directory = create(timeline);
        Path target = manifest(timeline, expectedVersion + 1);
        Path temporary = directory.resolve("manifest-" + UUID.randomUUID() + TEMPORARY_SUFFIX);
        try {
            try (FileChannel channel =
                    FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                writes.write(channel, ByteBuffer.wrap(content));
                writes.force(channel);
            }
            writes.link(target, temporary);
        } catch (IOException e) {
            discard(temporary, e);
            if (e instanceof FileAlreadyExistsException) {
                throw conflict(timeline, expectedVersion);
            }
            throw new StorageException("cannot store " + target + ": " + e.getMessage(), e);
        }
        try {
            Files.deleteIfExists(temporary);
            requireNewest(timeline, expectedVersion + 1);
            writes.forceDirectory(directory);
        } catch (IOException | ManifestConflictException e) {
            // Not known to be durable, or below another writer's: as if it had never been.
            discard(target, e);
            if (e instanceof ManifestConflictException conflict) {
                throw conflict;
            }
            throw new StorageException("cannot store " + target + ": " + e.getMessage(), e);
        }
        removeManifestsBelow(timeline, expectedVersion + 1);
    }

    @Override
    public void removeStray(TimelineId timeline) {
        for (String name : names(timeline)) {
            if (name.endsWith(TEMPORARY_SUFFIX)) {
                remove(directory(timeline).resolve(name));
            }
        }
        removeManifestsBelow(timeline, newestVersion(timeline));
    }

    private void requireNewest(TimelineId timeline, long expectedVersion) {
        if (newestVersion(timeline) != expectedVersion) {
            throw conflict(timeline, expectedVersion);
        }
    }

    private ManifestConflictException conflict(TimelineId timeline, long expectedVersion) {
        return new ManifestConflictException("the manifest of timeline " + timeline + " is of version "
                + newestVersion(timeline) + ", not " + expectedVersion + ": another process writes this timeline");
    }

    private long newestVersion(TimelineId timeline) {
        long newest = 0;
        for (String name : names(timeline)) {
            Matcher matcher = MANIFEST_NAME.matcher(name);
            if (matcher.matches()) {
                newest = Math.max(newest, Long.parseLong(matcher.group(1)));
            }
        }
        return newest;
    }

    private void removeManifestsBelow(TimelineId timeline, long version) {
        for (String name : names(timeline)) {
            Matcher matcher = MANIFEST_NAME.matcher(name);
            if (matcher.matches() && Long.parseLong(matcher.group(1)) < version) {
                remove(directory(timeline).resolve(name));
            }
        }
    }

    private Path directory(TimelineId timeline) {
        return timelines.resolve(timeline.value()).resolve("layers");
    }

    private Path manifest(TimelineId timeline, long version) {
        return directory(timeline).resolve("manifest-" + version);
    }

    private Path layer(TimelineId timeline, String name) {
        return directory(timeline).resolve(checked(name) + LAYER_SUFFIX);
    }

    private static String checked(String name) {
        if (!LAYER_NAME.matcher(name).matches()) {
            throw new StorageException("\"" + name + "\" is no name of a layer");
        }
        return name;
    }

    private Path create(TimelineId timeline) {
        Path directory = directory(timeline);
        try {
            if (!Files.isDirectory(directory)) {
                DurableFiles.createPrivateDirectory(directory);
                writes.forceDirectory(timelines.resolve(timeline.value()));
            }
        } catch (IOException e) {
            throw new StorageException("cannot create " + directory, e);
        }
        return directory;
    }

    private List<String> names(TimelineId timeline) {
        Path directory = directory(timeline);
        List<String> names = new ArrayList<>();
        try (Stream<Path> all = Files.list(directory)) {
            all.forEach(path -> names.add(path.getFileName().toString()));
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (IOException | java.io.UncheckedIOException e) {
            throw new StorageException("cannot list " + directory, e);
        }
        return names;
    }

    private static void remove(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new StorageException("cannot delete " + file, e);
        }
    }

    /** Deletes on the way out of a failure; what cannot be deleted now is a stray for the next start. */
    private static void discard(Path file, Exception failure) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            failure.addSuppressed(e);
        }
    }
}
