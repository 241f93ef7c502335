package dev.coppice.control.endpoint;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.sandbox.Isolation;
import dev.coppice.control.catalog.Inventory;
import dev.coppice.control.catalog.model.ProjectSettings;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.sql.AdminConnection;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.control.sql.RolePowers;
import dev.coppice.storage.PageService;
import dev.coppice.storage.io.DurableFiles;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * Whether the owners of branches are superusers, as their project says; else as it is safe on this machine. It is seen to before the first client comes in,
 * at each start of a branch's compute. A small file in the timeline's directory says what was done last; without it owners are superusers.
 */
public final class OwnerPowers implements ComputeService.Admission {
    private static final String FILE = "owners";
    private static final String LIMITED = "limited";
    private static final String SUPERUSERS = "superusers";

    private final Inventory inventory;
    private final ComputeService computes;
    private final PageService pages;

    public OwnerPowers(Inventory inventory, ComputeService computes, PageService pages) {
        this.inventory = inventory;
        this.computes = computes;
        this.pages = pages;
    }

    /** Whether owners are superusers under these settings. Never where nothing confines a program in a compute. */
    public boolean areSuperusers(ProjectSettings settings) {
        Isolation isolation = computes.isolation();
        if (!isolation.confines()) {
            return false;
        }
        Boolean wanted = settings.ownerSuperuser();
        return wanted == null ? isolation.level() == Isolation.Level.FULL : wanted;
    }

    @Override
    public void admit(String endpointId, TimelineId timeline, ComputeAddress address) {
        inventory
                .endpoint(endpointId)
                .flatMap(endpoint -> inventory.project(endpoint.projectId()))
                .ifPresent(project -> apply(project.settings(), timeline, address));
    }

    /** Of a compute that nobody but the caller uses. */
    public void apply(ProjectSettings settings, TimelineId timeline, ComputeAddress address) {
        boolean superusers = areSuperusers(settings);
        Path file = pages.timeline(timeline).layout().directory().resolve(FILE);
        try {
            String last = read(file);
            // Where nobody ever decided otherwise, nothing can be otherwise.
            boolean same = superusers
                    ? last.equals(SUPERUSERS) || (last.isEmpty() && settings.ownerSuperuser() == null)
                    : last.equals(LIMITED);
            if (same) {
                return;
            }
            int version = computes.postgresVersion();
            try (Connection connection = new AdminConnection(version).open(address)) {
                if (superusers) {
                    RolePowers.raise(connection);
                } else {
                    RolePowers.limit(connection, version);
                }
            }
            DurableFiles.replace(file, (superusers ? SUPERUSERS : LIMITED).getBytes(StandardCharsets.UTF_8));
        } catch (SQLException e) {
            throw ComputeSql.translate(e);
        } catch (IOException e) {
            throw new ControlException(
                    ControlException.Kind.UNAVAILABLE, "what the branch's owners may do cannot be noted", e);
        }
    }

    private static String read(Path file) throws IOException {
        try {
            return Files.readString(file).strip();
        } catch (NoSuchFileException e) {
            return "";
        }
    }
}
