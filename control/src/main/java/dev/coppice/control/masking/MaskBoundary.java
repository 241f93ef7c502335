package dev.coppice.control.masking;

import dev.coppice.control.error.ControlException;
import dev.coppice.control.secret.SecretBox;
import dev.coppice.masking.crypto.MaskKey;
import dev.coppice.masking.rule.MaskPlan;
import dev.coppice.storage.boundary.Boundary;
import dev.coppice.storage.fault.StorageException;
import dev.coppice.storage.file.PageView;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/**
 * What a masked timeline may see: a list of what is shown, and nothing else. Relations are known by the names of their files at the
 * clean point; a file that is not in the plan is not there. Thread-safe.
 */
final class MaskBoundary implements Boundary {
    private static final Pattern RELATION =
            Pattern.compile("((?:base/[0-9]+|global)/[0-9]+)(_fsm|_vm|_init)?(?:\\.([0-9]+))?");

    /** Directories that every cluster has; what is in them is another matter. */
    private static final Set<String> DIRECTORIES = Set.of(
            "base",
            "global",
            "pg_commit_ts",
            "pg_dynshmem",
            "pg_logical",
            "pg_logical/mappings",
            "pg_logical/snapshots",
            "pg_multixact",
            "pg_multixact/members",
            "pg_multixact/offsets",
            "pg_notify",
            "pg_replslot",
            "pg_serial",
            "pg_snapshots",
            "pg_stat",
            "pg_stat_tmp",
            "pg_subtrans",
            "pg_tblspc",
            "pg_twophase",
            "pg_wal",
            "pg_wal/archive_status",
            "pg_wal/summaries",
            "pg_xact");

    /** Files without values: numbers of transactions, versions, the map of file names, the control file. */
    private static final Pattern HARMLESS = Pattern.compile("PG_VERSION|global/pg_control|global/pg_filenode\\.map"
            + "|(pg_xact|pg_multixact/members|pg_multixact/offsets|pg_commit_ts)/[0-9A-F]+");

    private static final Pattern OF_DATABASE = Pattern.compile("(base/[0-9]+)(/PG_VERSION|/pg_filenode\\.map)?");

    private final Map<String, RelationView> relations = new HashMap<>();
    private final Set<String> databases = new HashSet<>();
    private final Set<Protection> protections;

    private MaskBoundary(Set<Protection> protections) {
        this.protections = protections;
    }

    /** Makes the loader of boundaries. */
    static Boundary.Loader loader(SecretBox secrets) {
        return loader(secrets, EnumSet.allOf(Protection.class));
    }

    /** With some protections left out: for a test that shows that they are needed. */
    static Boundary.Loader loader(SecretBox secrets, Set<Protection> protections) {
        return (bytes, parent) -> {
            MaskDocument document = MaskDocument.parse(bytes);
            if (document.codeVersion() != MaskPlan.CODE_VERSION) {
                throw new StorageException("the branch was anonymized by version " + document.codeVersion()
                        + " of the masking code, and this is version " + MaskPlan.CODE_VERSION
                        + ": its values would change; anonymize it again");
            }
            try {
                return boundary(document, secrets, parent, protections);
            } catch (ControlException | IllegalArgumentException e) {
                throw new StorageException("the masking plan cannot be used: " + e.getMessage(), e);
            }
        };
    }

    private static MaskBoundary boundary(
            MaskDocument document, SecretBox secrets, ParentFiles parent, Set<Protection> protections) {
        MaskKey key = MaskingKeys.open(secrets, document.projectId(), document.keyId(), document.sealedKey());
        MaskBoundary boundary = new MaskBoundary(protections);
        TransactionLog transactions = new TransactionLog(parent);
        for (JsonNode catalog : document.catalogs()) {
            DatabaseCatalog database = DatabaseCatalog.parse(catalog);
            DatabasePlan plan = DatabasePlan.of(database, document.rules(), document.keyId());
            boundary.databases.add("base/" + Integer.toUnsignedString(database.oid()));
            boundary.relations.putAll(new RelationViews(plan, key, transactions, parent, protections).all());
        }
        return boundary;
    }

    @Override
    public Optional<PageView> view(String path) {
        Matcher relation = RELATION.matcher(path);
        if (relation.matches()) {
            RelationView view = relations.get(relation.group(1));
            if (view != null) {
                String segment = relation.group(3);
                return view.of(relation.group(2), segment == null ? 0 : Long.parseLong(segment));
            }
            return unknown();
        }
        if (DIRECTORIES.contains(path) || HARMLESS.matcher(path).matches()) {
            return Optional.of(PageView.SAME);
        }
        Matcher database = OF_DATABASE.matcher(path);
        if (database.matches() && databases.contains(database.group(1))) {
            return Optional.of(PageView.SAME);
        }
        return unknown();
    }

    private Optional<PageView> unknown() {
        return protections.contains(Protection.UNKNOWN_FILES) ? Optional.empty() : Optional.of(PageView.SAME);
    }

    /** For tests and messages: the databases that are known. */
    List<String> databases() {
        return new ArrayList<>(databases);
    }
}
