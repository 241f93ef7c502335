package dev.coppice.control.anonymize;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.Finder;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Database;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.endpoint.Computes;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.masking.Discovery;
import dev.coppice.control.masking.Masking;
import dev.coppice.control.masking.RuleCheck;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.masking.RuleTrial;
import dev.coppice.control.role.RoleWorkflows;
import dev.coppice.control.sql.AdminConnection;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.masking.crypto.MaskKey;
import dev.coppice.storage.PageService;
import dev.coppice.storage.Timeline;
import dev.coppice.storage.file.PageConsumer;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What somebody who may read a branch can see of what masking would do to it. Everything is read over a connection of one of the branch's roles, so
 * it shows what that role may SELECT and nothing else.
 */
public final class MaskingInspection {
    private static final String WRONG_LOGIN = "28";

    private final Catalog catalog;
    private final Finder finder;
    private final PageService pages;
    private final Computes computes;
    private final AdminConnection admin;
    private final Masking masks;
    private final RoleWorkflows roles;
    private final Clock clock;

    public MaskingInspection(
            Catalog catalog,
            Finder finder,
            PageService pages,
            Computes computes,
            AdminConnection admin,
            Masking masks,
            RoleWorkflows roles,
            Clock clock) {
        this.catalog = catalog;
        this.finder = finder;
        this.pages = pages;
        this.computes = computes;
        this.admin = admin;
        this.masks = masks;
        this.roles = roles;
        this.clock = clock;
    }

    /**
     * The role to read as.
     *
     * @param name absent = the database's owner
     * @param password absent = the one that is stored
     */
    public record Reader(@Nullable String name, @Nullable String password) {}

    /**
     * Shows what rules would do to some rows of each table that they mask.
     *
     * @param rows at most so many of each table
     * @throws ControlException UNPROCESSABLE with every reason against the rules, or for a role that may not read
     */
    public List<RuleTrial.Result> test(String projectId, String branchId, RuleSet rules, Reader reader, int rows) {
        RuleCheck.understood(rules, "masking_rules");
        Branch branch = finder.branch(projectId, branchId);
        List<Database> databases = databases(branch);
        RuleCheck.databases(rules, databases.stream().map(Database::name).toList());
        MaskKey key = key(projectId);
        TimelineId timeline = branch.timeline();
        // What is in shared buffers only is in no page that can be read.
        computes.run(finder.endpointOf(branch).id(), timeline, connection -> {
            ComputeSql.checkpoint(connection);
            return Boolean.TRUE;
        });
        List<RuleTrial.Result> results = new ArrayList<>();
        for (Database database : databases) {
            boolean masked = rules.unlisted() != RuleSet.Unlisted.KEEP
                    || rules.rules().stream().anyMatch(rule -> rule.database().equals(database.name()));
            if (masked) {
                results.add(run(
                        branch,
                        database,
                        reader,
                        connection -> new RuleTrial(
                                        connection, rules, key, (path, block) -> page(timeline, path, block))
                                .run(rows)));
            }
        }
        return results;
    }

    /**
     * Looks for personal data.
     *
     * @param database absent = all of them
     */
    public List<Discovery.Found> suggest(String projectId, String branchId, @Nullable String database, Reader reader) {
        Branch branch = finder.branch(projectId, branchId);
        List<Database> databases = databases(branch).stream()
                .filter(each -> database == null || each.name().equals(database))
                .toList();
        if (databases.isEmpty()) {
            throw ControlException.notFound(
                    database == null ? "the branch has no database" : "database \"" + database + "\" not found");
        }
        return databases.stream()
                .map(each -> run(branch, each, reader, connection -> new Discovery(connection).run()))
                .toList();
    }

    private List<Database> databases(Branch branch) {
        return catalog.transaction(connection -> RoleRows.databases(connection, branch.id()));
    }

    private MaskKey key(String projectId) {
        return masks.keys().opened(projectId, clock.instant());
    }

    private <T> T run(Branch branch, Database database, Reader reader, Computes.Work<T> work) {
        String role = Objects.requireNonNullElse(reader.name(), database.ownerName());
        String password =
                reader.password() != null ? reader.password() : roles.reveal(branch.projectId(), branch.id(), role);
        ComputeAddress address = computes.awake(finder.endpointOf(branch).id(), branch.timeline());
        try (Connection connection = admin.open(address, database.name(), role, password)) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("SET default_transaction_read_only = on");
            }
            return work.run(connection);
        } catch (SQLException e) {
            String state = e.getSQLState();
            if (state != null && state.startsWith(WRONG_LOGIN)) {
                throw new ControlException(
                        ControlException.Kind.UNPROCESSABLE,
                        "role \"" + role + "\" cannot log in to database \"" + database.name()
                                + "\": give its password as it is now",
                        e);
            }
            throw ComputeSql.translate(e);
        }
    }

    private byte[] page(TimelineId id, String path, long block) {
        Timeline timeline = pages.timeline(id);
        byte[] bytes = new byte[Timeline.BLOCK_SIZE];
        timeline.readPages(path, block, 1, new PageConsumer() {
            @Override
            public void zero(long number) {
                // It stays all zero.
            }

            @Override
            public void page(long number, long stamp, ByteBuffer page) {
                page.get(bytes);
            }
        });
        return bytes;
    }
}
