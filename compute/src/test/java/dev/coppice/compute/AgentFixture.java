package dev.coppice.compute;

import dev.coppice.storage.PageService;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.file.Path;

/** A page service with a template and nothing that runs, for tests of the agent. */
public final class AgentFixture implements AutoCloseable {
    private final Path directory = TestDirectories.create();
    private final ComputeUser user = ComputeUser.detect();
    private final PageService pages = PageService.open(directory.resolve("timelines"));

    public AgentFixture() throws IOException {
        TemplateCluster.prepare(
                pages,
                TestDirectories.binaries(),
                TestDirectories.interposer(),
                user,
                TestDirectories.sandbox(),
                directory.resolve("initdb"));
    }

    public Path directory() {
        return directory;
    }

    public ComputeUser user() {
        return user;
    }

    public PageService pages() {
        return pages;
    }

    public int majorVersion() {
        return TestDirectories.binaries().majorVersion();
    }

    @Override
    public void close() throws IOException {
        pages.close();
        DurableFiles.deleteRecursively(directory);
    }
}
