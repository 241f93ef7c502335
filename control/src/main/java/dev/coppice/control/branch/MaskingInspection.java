package dev.coppice.control.branch;

import dev.coppice.common.TimelineId;
import dev.coppice.compute.ComputeAddress;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Database;
import dev.coppice.control.catalog.rows.MaskingRows;
import dev.coppice.control.catalog.rows.RoleRows;
import dev.coppice.control.error.ControlException;
import dev.coppice.control.masking.Discovery;
import dev.coppice.control.masking.MaskingKeys;
import dev.coppice.control.masking.RuleCheck;
import dev.coppice.control.masking.RuleSet;
import dev.coppice.control.masking.RuleTrial;
import dev.coppice.control.sql.ComputeSql;
import dev.coppice.masking.crypto.MaskKey;
import dev.coppice.storage.PageConsumer;
import dev.coppice.storage.Timeline;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
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

    private final Workshop shop;

    public MaskingInspection(Workshop shop) {
        this.shop = shop;
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
        Branch branch = shop.branch(projectId, branchId);
        List<Database> databases = databases(branch);
        RuleCheck.databases(rules, databases.stream().map(Database::name).toList());
        MaskKey key = key(projectId);
        TimelineId timeline = Workshop.timeline(branch);
        // What is in shared buffers only is in no page that can be read.
        shop.computes().run(shop.endpointOf(branch).id(), timeline, connection -> {
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
        Branch branch = shop.branch(projectId, branchId);
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
        return shop.catalog().transaction(connection -> RoleRows.databases(connection, branch.id()));
    }

    private MaskKey key(String projectId) {
        MaskingRows.SealedKey sealed = shop.masking().keys().of(projectId, shop.now());
        return MaskingKeys.open(shop.secrets(), projectId, sealed.id(), sealed.sealed());
    }

    private <T> T run(Branch branch, Database database, Reader reader, Computes.Work<T> work) {
        String role = Objects.requireNonNullElse(reader.name(), database.ownerName());
        String password = reader.password() != null
                ? reader.password()
                : new RoleWorkflows(shop).reveal(branch.projectId(), branch.id(), role);
        ComputeAddress address = shop.computes().awake(shop.endpointOf(branch).id(), Workshop.timeline(branch));
        try (Connection connection = shop.admin().open(address, database.name(), role, password)) {
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
        Timeline timeline = shop.pages().timeline(id);
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
