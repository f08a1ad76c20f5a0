"""All fuzz targets, by name."""

from tests.fuzz.file_targets import FILE_TARGETS
from tests.fuzz.import_targets import IMPORT_TARGETS
from tests.fuzz.option_targets import OPTION_TARGETS
from tests.fuzz.reply_targets import REPLY_TARGETS
from tests.fuzz.report_targets import REPORT_TARGETS
from tests.fuzz.xml_targets import XML_TARGETS

TARGETS = {
    one.name: one
    for one in (*XML_TARGETS, *REPLY_TARGETS, *FILE_TARGETS, *IMPORT_TARGETS, *REPORT_TARGETS, *OPTION_TARGETS)
}
