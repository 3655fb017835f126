//! Lines as rows of a Parquet file.
//!
//! ```text
//!  line ─▶ rows, up to a bound ─▶ a row group, column by column, compressed with zstd ─▶ draft ─▶ its place
//! ```
//!
//! A gap is a row without a time and a line, whose `gap_bytes` says how much is gone. A line that is very long is several rows;
//! all but the last of them have `continues`.

use std::path::Path;
use std::sync::Arc;

use eco_proto::log::v1::Level;
use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use crate::draft::Draft;
use crate::view::line::{LogGap, LogLine, Origin, level_name};

/// How many rows a group has at most.
const ROWS: usize = 1 << 17;
/// How many bytes of lines.
const BYTES: usize = 32 << 20;

const SCHEMA: &str = "message log {
    optional int64 time (TIMESTAMP(NANOS,true));
    required binary host (STRING);
    required binary environment (STRING);
    required binary app (STRING);
    required int32 instance (INTEGER(32,false));
    required int64 run (INTEGER(64,false));
    optional binary stream (STRING);
    required int64 offset (INTEGER(64,false));
    optional binary level (STRING);
    optional binary line (STRING);
    required boolean continues;
    optional int64 gap_bytes (INTEGER(64,false));
}";

/// A file that is being written.
pub(super) struct Rows {
    writer: SerializedFileWriter<Draft>,
    waiting: Vec<Row>,
    bytes: usize,
}

/// A row that waits for its group.
struct Row {
    origin: Arc<Origin>,
    time: Option<i64>,
    offset: u64,
    level: Option<Level>,
    line: Option<Vec<u8>>,
    continues: bool,
    gap: Option<u64>,
}

impl Rows {
    /// Begins a file that is to be at `place`.
    pub(super) fn begin(place: &Path) -> Result<Self> {
        let draft = Draft::begin(place)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(parquet::basic::ZstdLevel::default()))
            .set_created_by(format!("eco {}", eco_proto::VERSION))
            .build();
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        Ok(Self {
            writer: SerializedFileWriter::new(draft, schema, Arc::new(properties))?,
            waiting: Vec::new(),
            bytes: 0,
        })
    }

    /// Adds a line.
    pub(super) fn line(&mut self, line: LogLine) -> Result<()> {
        self.add(Row {
            time: i64::try_from(line.time_ns).ok().filter(|time| *time > 0),
            origin: line.origin,
            offset: line.offset,
            level: line.level,
            line: Some(line.text),
            continues: line.continues,
            gap: None,
        })
    }

    /// Adds a gap.
    pub(super) fn gap(&mut self, gap: &LogGap) -> Result<()> {
        self.add(Row {
            origin: Arc::new(gap.origin.clone()),
            time: None,
            offset: gap.offset,
            level: None,
            line: None,
            continues: false,
            gap: Some(gap.bytes),
        })
    }

    /// Writes what waits, and puts the file in its place.
    pub(super) fn finish(mut self) -> Result<()> {
        self.write_group()?;
        Ok(self.writer.into_inner()?.finish()?)
    }

    fn add(&mut self, row: Row) -> Result<()> {
        self.bytes += row.line.as_ref().map_or(0, Vec::len);
        self.waiting.push(row);
        if self.waiting.len() < ROWS && self.bytes < BYTES {
            return Ok(());
        }
        self.write_group()
    }

    fn write_group(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let rows = std::mem::take(&mut self.waiting);
        let mut group = self.writer.next_row_group()?;
        let text = |text: &str| ByteArray::from(text);
        optional::<Int64Type>(&mut group, rows.iter().map(|row| row.time))?;
        required::<ByteArrayType>(&mut group, rows.iter().map(|row| text(&row.origin.host)))?;
        required::<ByteArrayType>(
            &mut group,
            rows.iter().map(|row| text(&row.origin.environment)),
        )?;
        required::<ByteArrayType>(&mut group, rows.iter().map(|row| text(&row.origin.app)))?;
        required::<Int32Type>(
            &mut group,
            rows.iter().map(|row| row.origin.instance.cast_signed()),
        )?;
        required::<Int64Type>(
            &mut group,
            rows.iter().map(|row| row.origin.run.cast_signed()),
        )?;
        optional::<ByteArrayType>(
            &mut group,
            rows.iter().map(|row| row.origin.stream_name().map(text)),
        )?;
        required::<Int64Type>(&mut group, rows.iter().map(|row| row.offset.cast_signed()))?;
        optional::<ByteArrayType>(
            &mut group,
            rows.iter()
                .map(|row| row.level.and_then(level_name).map(text)),
        )?;
        let line = |row: &Row| row.line.as_ref().map(|line| utf8(line));
        optional::<ByteArrayType>(&mut group, rows.iter().map(line))?;
        required::<BoolType>(&mut group, rows.iter().map(|row| row.continues))?;
        optional::<Int64Type>(
            &mut group,
            rows.iter().map(|row| row.gap.map(u64::cast_signed)),
        )?;
        group.close()?;
        Ok(())
    }
}

/// Bytes that are no UTF-8 are replaced, as in JSON: a column of texts can be searched everywhere.
fn utf8(line: &[u8]) -> ByteArray {
    ByteArray::from(&*String::from_utf8_lossy(line))
}

type Group<'a> = SerializedRowGroupWriter<'a, Draft>;

fn required<T: DataType>(group: &mut Group<'_>, values: impl Iterator<Item = T::T>) -> Result<()> {
    let values: Vec<T::T> = values.collect();
    column::<T>(group, &values, None)
}

fn optional<T: DataType>(
    group: &mut Group<'_>,
    values: impl Iterator<Item = Option<T::T>>,
) -> Result<()> {
    let mut there = Vec::new();
    let mut levels = Vec::new();
    for value in values {
        levels.push(i16::from(value.is_some()));
        there.extend(value);
    }
    column::<T>(group, &there, Some(&levels))
}

fn column<T: DataType>(
    group: &mut Group<'_>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<()> {
    let missing = || ParquetError::General("more columns than the schema has".to_owned());
    let mut column = group.next_column()?.ok_or_else(missing)?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    fn origin() -> Arc<Origin> {
        Arc::new(Origin {
            host: "box".to_owned(),
            environment: "dev".to_owned(),
            app: "api".to_owned(),
            instance: 1,
            run: 7,
            stream: 2,
        })
    }

    fn line(offset: u64, text: &[u8]) -> LogLine {
        LogLine {
            origin: origin(),
            offset,
            time_ns: 1_700_000_000_123_456_789,
            text: text.to_vec(),
            continues: false,
            level: (offset == 0).then_some(Level::Warn),
            joined: false,
        }
    }

    fn read(place: &Path) -> (usize, Vec<String>) {
        let file = File::open(place).expect("there");
        let reader = SerializedFileReader::new(file).expect("a Parquet file");
        let rows = reader.get_row_iter(None).expect("rows");
        let rows = rows.map(|row| row.expect("a row").to_string());
        (reader.num_row_groups(), rows.collect())
    }

    #[test]
    fn what_is_written_is_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("x.parquet");
        let mut rows = Rows::begin(&place).expect("begun");
        rows.line(line(0, "é".as_bytes())).expect("added");
        rows.line(line(2, b"\xff")).expect("added");
        let gap = LogGap {
            origin: origin().as_ref().clone(),
            offset: 3,
            bytes: 9,
            loss: eco_proto::log::v1::Loss::Flushed,
        };
        rows.gap(&gap).expect("added");
        assert!(!place.exists());
        rows.finish().expect("written");
        let (groups, rows) = read(&place);
        assert_eq!(groups, 1);
        insta::assert_snapshot!(rows.join("\n"), @r#"
        {time: 1700000000123456789, host: "box", environment: "dev", app: "api", instance: 1, run: 7, stream: "err", offset: 0, level: "warn", line: "é", continues: false, gap_bytes: null}
        {time: 1700000000123456789, host: "box", environment: "dev", app: "api", instance: 1, run: 7, stream: "err", offset: 2, level: null, line: "�", continues: false, gap_bytes: null}
        {time: null, host: "box", environment: "dev", app: "api", instance: 1, run: 7, stream: "err", offset: 3, level: null, line: null, continues: false, gap_bytes: 9}
        "#);
    }

    #[test]
    fn memory_is_bounded_by_the_bytes_of_a_row_group() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("x.parquet");
        let mut rows = Rows::begin(&place).expect("begun");
        let text = vec![b'x'; BYTES / 2];
        for offset in 0..5 {
            rows.line(line(offset, &text)).expect("added");
            assert!(rows.waiting.len() < 2);
        }
        rows.finish().expect("written");
        let (groups, rows) = read(&place);
        assert_eq!((groups, rows.len()), (3, 5));
    }

    #[test]
    fn nothing_at_all_is_a_file_without_rows() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("x.parquet");
        Rows::begin(&place).and_then(Rows::finish).expect("written");
        assert_eq!(read(&place), (0, Vec::new()));
    }
}
