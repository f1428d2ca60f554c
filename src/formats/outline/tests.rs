//! Outlines that are written and read back.

use super::*;
use crate::formats::samples;
use crate::segment::Segment;

fn text(forest: crate::forest::Forest) -> String {
    samples::rendered(forest, |out, part| write(out, part))
}

#[test]
fn headings_and_missing_parents_are_written_as_comments() {
    assert_eq!(
        text(samples::faulty_forest()),
        "A & B \"VIP\" <new>  [V#1]  {vip}\n  \
         \\   {blank}\n  \
         Twin  [TWIN]  {twin-1}\n  \
         Twin  [TWIN]  {twin-2}\n\
         Polska  [PL]  {pl}\n  \
         Łódzkie  [PL-10]  {pl-10}\n    \
         Łódź  [PL-10-1]  {pl-10-1}\n  \
         Śląskie  {pl-24}\n\
         # Orphans: parent missing\n\
         # parent gone doesn't exist\n\
         Orphan  {orphan}\n\
         # Circular parents\n\
         Egg  {c1}\n  \
         Chicken  {c2}\n"
    );
}

#[test]
fn a_written_outline_is_read_back_as_the_segments() {
    for forest in [samples::faulty_forest(), samples::hostile(), samples::chain(50)] {
        let read = read(&text(forest.clone()));
        let blank = |fault: &Fault| fault.problem == Problem::BlankName;
        assert!(read.faults.iter().all(blank), "{:?}", read.faults);
        assert_eq!(read.lines.len() + read.faults.len(), forest.len());
        for line in read.lines {
            let id = crate::segment::SegmentId::new(&line.tag.unwrap()).unwrap();
            let Segment { name, external_id, .. } = &**forest.get(&id).unwrap();
            assert_eq!((line.name.as_str(), line.external_id.as_deref()), (name.as_str(), external_id.as_deref()));
        }
    }
}

#[test]
fn a_chain_that_is_too_deep_is_refused() {
    let mut forest = samples::chain(DEEPEST + 2);
    let part = Part::whole(&mut forest);
    assert!(write(&mut String::new(), &part).is_err());
}
