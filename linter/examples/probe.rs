use lorelint::tree::*; use rayon::prelude::*;
struct Fs(std::path::PathBuf);
fn walk(root:&std::path::Path,dir:&std::path::Path,out:&mut Vec<String>){ let Ok(rd)=std::fs::read_dir(dir) else {return}; for e in rd.flatten(){ let p=e.path(); let ft=e.file_type().unwrap(); if ft.is_dir(){ if p.file_name().unwrap()!=".git"{walk(root,&p,out)} } else if ft.is_file(){out.push(p.strip_prefix(root).unwrap().to_str().unwrap().into())} } }
impl TreeSource for Fs {
 fn files(&self)->Result<Vec<FileEntry>,TreeError>{ let mut v=vec![]; walk(&self.0,&self.0,&mut v); v.sort(); Ok(v.into_iter().filter_map(|p|TreePath::parse(&p)).map(|path|FileEntry{path,blob:None,mode:Mode::Regular}).collect()) }
 fn entry(&self,p:&TreePath)->Result<Option<FileEntry>,TreeError>{ Ok(Some(FileEntry{path:p.clone(),blob:None,mode:Mode::Regular})) }
 fn read(&self,p:&TreePath)->Result<Option<Vec<u8>>,TreeError>{ Ok(std::fs::read(self.0.join(p.as_str())).ok()) }
}
fn main(){ rayon::ThreadPoolBuilder::new().num_threads(2).build_global().unwrap();
 let args:Vec<String>=std::env::args().skip(1).collect();
 if args[0]=="one" { println!("{}", lorelint::probe_dump(&std::fs::read(&args[1]).unwrap())); return }
 let _ = [0].par_iter().count();
 lorelint::probe_explore(&Fs(args[0].clone().into()), args.get(1).map_or("", |s| s));
 println!("{}", std::fs::read_to_string("/proc/self/status").unwrap().lines().find(|l|l.starts_with("VmHWM")).unwrap());
}
